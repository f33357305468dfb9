package io.github.kolors4j.djl;

import ai.djl.repository.Repository;
import ai.djl.repository.RepositoryFactory;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.hub.RepoRevision;
import java.net.URI;
import java.nio.file.Path;
import java.util.Set;

/**
 * Lets criteria name checkpoints by URL:
 *
 * <ul>
 *   <li>{@code kolors:///path/to/checkpoint}, a folder: {@code "kolors://" +
 *       folder.toUri().getRawPath()};
 *   <li>{@code kolors://owner/name} or {@code kolors://owner/name@revision}, a repository of the
 *       Hugging Face hub, which is downloaded into the cache that Python shares if it is not there.
 * </ul>
 *
 * <p>What follows a question mark are arguments and options: {@code
 * kolors://owner/name?variant=fp16&num_inference_steps=25}.
 */
public final class KolorsRepositoryFactory implements RepositoryFactory {
  private static final String SCHEME = "kolors";

  /** For the service loader. */
  public KolorsRepositoryFactory() {}

  @Override
  public Set<String> getSupportedScheme() {
    return Set.of(SCHEME);
  }

  /**
   * The repository of one checkpoint. Nothing is opened or downloaded yet.
   *
   * @param name what DJL calls it
   * @param uri where it is
   * @return the repository
   * @throws IllegalArgumentException if the URL names neither a folder nor a repository
   */
  @Override
  public Repository newInstance(String name, URI uri) {
    return new KolorsRepository(name, uri, reference(uri));
  }

  private static ModelReference reference(URI uri) {
    String path = uri.getRawPath();
    if (path == null || path.length() < 2) {
      throw new IllegalArgumentException(
          "[djl] %s names no checkpoint: use kolors:///path/to/folder or kolors://owner/name."
              .formatted(uri));
    }
    String owner = uri.getAuthority();
    return owner == null
        ? new ModelReference.Folder(Path.of(URI.create("file://" + path)))
        : new ModelReference.Repository(RepoRevision.parse(owner + uri.getPath()));
  }
}
