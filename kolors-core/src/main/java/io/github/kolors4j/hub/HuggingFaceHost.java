package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Hugging Face hub or a mirror: {@code /api/models} and {@code /resolve}. */
record HuggingFaceHost(URI endpoint, Http http) implements ModelHost {
  private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"?next\"?");
  private static final int MOST_PAGES = 1000;

  @Override
  public RepoListing list(RepoRevision revision) throws IOException, InterruptedException {
    String model = endpoint + "/api/models/" + revision.repo().path();
    Http.Answer<byte[]> answer =
        ask(revision, URI.create(model + "/revision/" + ModelHost.encoded(revision.revision())));
    if (!(ModelHost.json(answer) instanceof Map<?, ?> info)) {
      throw unexpected(answer);
    }
    String commit = ModelHost.string(info, "sha").orElseThrow(() -> unexpected(answer));
    if (!RepoRevision.isCommit(commit)) {
      throw unexpected(answer); // before it becomes part of an address
    }
    try {
      return new RepoListing(
          revision, commit, files(revision, model, commit), Licence.of(info.get("cardData")));
    } catch (IllegalArgumentException e) {
      throw ModelHost.protocol(e);
    }
  }

  private List<RepoFile> files(RepoRevision revision, String model, String commit)
      throws IOException, InterruptedException {
    List<RepoFile> files = new ArrayList<>();
    Optional<URI> page =
        Optional.of(URI.create(model + "/tree/" + commit + "?recursive=true&expand=false"));
    for (int i = 0; page.isPresent(); i++) {
      Http.Answer<byte[]> answer = ask(revision, page.get());
      if (!(ModelHost.json(answer) instanceof List<?> entries) || i == MOST_PAGES) {
        throw unexpected(answer);
      }
      for (Object entry : entries) {
        if (entry instanceof Map<?, ?> values && !"directory".equals(values.get("type"))) {
          files.add(file(values));
        }
      }
      page = next(answer);
    }
    return files;
  }

  private static RepoFile file(Map<?, ?> entry) {
    String path = ModelHost.string(entry, "path").orElse("");
    if (!"file".equals(entry.get("type"))) {
      throw new IllegalArgumentException(
          "[hub] the server lists %s as a %s: only files and folders are taken."
              .formatted(ForeignText.quoted(path), entry.get("type")));
    }
    long size = ModelHost.size(entry, "size");
    String blobId = ModelHost.string(entry, "oid").orElse("");
    Optional<String> xet = ModelHost.string(entry, "xetHash");
    return entry.get("lfs") instanceof Map<?, ?> lfs
        ? new RepoFile(path, ModelHost.size(lfs, "size"), blobId, ModelHost.string(lfs, "oid"), xet)
        : new RepoFile(path, size, blobId, Optional.empty(), xet);
  }

  /** The next page, which must be of the same hub: it gets the token. */
  private Optional<URI> next(Http.Answer<byte[]> answer) throws HubException {
    Matcher link = NEXT.matcher(answer.headers().firstValue("Link").orElse(""));
    if (!link.find()) {
      return Optional.empty();
    }
    try {
      URI next = answer.uri().resolve(link.group(1));
      // a mirror may pass on the links of the hub behind it
      return Optional.of(
          http.isOwn(next)
              ? next
              : URI.create(endpoint + next.getRawPath() + "?" + next.getRawQuery()));
    } catch (IllegalArgumentException e) {
      throw unexpected(answer);
    }
  }

  private Http.Answer<byte[]> ask(RepoRevision revision, URI uri)
      throws IOException, InterruptedException {
    Http.Answer<byte[]> answer = http.text(uri);
    if (answer.status() != 200) {
      throw refused(revision, answer);
    }
    return answer;
  }

  private static HubException unexpected(Http.Answer<byte[]> answer) {
    return new HubException(
        HubException.Reason.PROTOCOL,
        "[hub] %s answers something else than the hub's protocol says. Is that a hub?"
            .formatted(Http.shown(answer.uri())));
  }

  @Override
  public URI address(RepoListing listing, RepoFile file) {
    return URI.create(
        "%s/%s/resolve/%s/%s"
            .formatted(
                endpoint,
                listing.revision().repo().path(),
                listing.commit(),
                ModelHost.encodedPath(file.path())));
  }

  @Override
  public HubException refused(RepoRevision revision, Http.Answer<byte[]> answer) {
    RepoId repo = revision.repo();
    String code = answer.headers().firstValue("X-Error-Code").orElse("");
    return switch (code.isEmpty() ? String.valueOf(answer.status()) : code) {
      case "GatedRepo" ->
          new HubException(
              HubException.Reason.GATED,
              "[hub] %s is gated: accept its terms at %s/%s, then pull with a token of that account in HF_TOKEN."
                  .formatted(repo, endpoint, repo.path()));
      case "RevisionNotFound" ->
          new HubException(
              HubException.Reason.NO_REVISION,
              "[hub] %s has no branch, tag or commit %s: see %s/%s."
                  .formatted(repo, revision.revision(), endpoint, repo.path()));
      case "EntryNotFound" ->
          new HubException(
              HubException.Reason.NO_FILE,
              "[hub] %s lists a file and does not have it: %s."
                  .formatted(revision, Http.shown(answer.uri())));
      case "RepoNotFound", "401", "403", "404" ->
          new HubException(
              HubException.Reason.NO_REPOSITORY,
              "[hub] %s is not at %s, or is not public: check the name, or set HF_TOKEN to a token that may read it."
                  .formatted(repo, endpoint));
      default ->
          new HubException(
              HubException.Reason.PROTOCOL,
              "[hub] %s answers %s: this is not what a hub does."
                  .formatted(Http.shown(answer.uri()), answer.status()));
    };
  }
}
