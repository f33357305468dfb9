package io.github.kolors4j.djl;

import ai.djl.Application;
import ai.djl.repository.AbstractRepository;
import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.Metadata;
import ai.djl.util.Progress;
import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.HubModel;
import io.github.kolors4j.hub.ModelReference;
import io.github.kolors4j.hub.PullListener;
import io.github.kolors4j.hub.PullPlan;
import io.github.kolors4j.hub.PullProgress;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The repository of one checkpoint, in a folder or at the hub. */
final class KolorsRepository extends AbstractRepository {
  private static final String GROUP = "io.github.kolors4j";

  private final ModelReference reference;
  private final String artifactId;
  private final Metadata metadata;
  private volatile @Nullable Path snapshot;

  KolorsRepository(String name, URI uri, ModelReference reference) {
    super(name, uri);
    this.reference = reference;
    this.artifactId =
        switch (reference) {
          case ModelReference.Folder(Path directory) -> fileName(directory);
          case ModelReference.Repository(RepoRevision revision) -> revision.repo().name();
        };
    this.metadata = metadata();
  }

  private static String fileName(Path directory) {
    Path fileName = directory.getFileName();
    return fileName == null ? GROUP : fileName.toString();
  }

  /** One artifact, which brings its engine and its translators. */
  private Metadata metadata() {
    Map<String, Object> given = new HashMap<>();
    Map<String, String> options = new HashMap<>();
    arguments.forEach(
        (key, value) -> {
          if (ModelOptions.NAMES.contains(key)) {
            options.put(key, value);
          } else {
            given.put(key, value);
          }
        });
    given.putIfAbsent("engine", KolorsEngine.NAME);
    given.putIfAbsent("translatorFactory", KolorsTranslatorFactory.class.getName());
    Artifact artifact = new Artifact();
    artifact.setName(artifactId);
    artifact.setArguments(given);
    artifact.setOptions(options);
    Metadata all = new Metadata.MatchAllMetadata();
    all.setRepositoryUri(URI.create(""));
    all.setGroupId(GROUP);
    all.setArtifactId(artifactId);
    all.setApplication(Application.CV.IMAGE_GENERATION);
    all.setArtifacts(List.of(artifact));
    return all;
  }

  @Override
  public boolean isRemote() {
    return reference instanceof ModelReference.Repository;
  }

  @Override
  public Metadata locate(MRL mrl) {
    return metadata;
  }

  @Override
  public Artifact resolve(MRL mrl, @Nullable Map<String, String> filter) {
    return metadata.getArtifacts().getFirst();
  }

  @Override
  public List<MRL> getResources() {
    return List.of(model(Application.CV.IMAGE_GENERATION, GROUP, artifactId));
  }

  /** Which copy of the weights to download: DJL shows a repository no options but its URL's. */
  private Variant variant() {
    return Optional.ofNullable(arguments.get("variant")).map(Variant::only).orElse(Variant.DEFAULT);
  }

  /** Downloads what is not in the cache. */
  @Override
  public void prepare(Artifact artifact, @Nullable Progress progress) throws IOException {
    if (reference instanceof ModelReference.Repository(RepoRevision revision)) {
      HubModel model = HubModel.of(revision.toString());
      snapshot =
          (progress == null ? model : model.listener(new Download(progress))).snapshot(variant());
    }
  }

  /** Shows a download, which DJL counts in bytes. */
  private record Download(Progress progress) implements PullListener {
    @Override
    public void onBegin(PullPlan plan, long bytesToFetch) {
      progress.reset("Downloading", plan.bytes());
    }

    @Override
    public void onProgress(PullProgress report) {
      progress.update(report.bytesDone());
    }
  }

  /** The checkpoint's folder; for one that is not downloaded, one that is not there. */
  @Override
  public Path getResourceDirectory(Artifact artifact) throws IOException {
    Path known = snapshot;
    if (known != null) {
      return known;
    }
    return switch (reference) {
      case ModelReference.Folder(Path directory) -> directory;
      case ModelReference.Repository(RepoRevision revision) -> {
        HubClient hub = new HubClient(HubEnvironment.current());
        yield hub.find(revision, variant())
            .orElseGet(() -> hub.cache().root().resolve("not downloaded"));
      }
    };
  }

  @Override
  public Path getCacheDirectory() throws IOException {
    return getResourceDirectory(metadata.getArtifacts().getFirst());
  }
}
