package io.github.kolors4j.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** ModelScope: {@code /api/v1/models}. */
record ModelScopeHost(URI endpoint, Http http) implements ModelHost {

  @Override
  public RepoListing list(RepoRevision revision) throws IOException, InterruptedException {
    Http.Answer<byte[]> answer =
        http.text(
            URI.create(
                "%s/files?Revision=%s&Recursive=true"
                    .formatted(repo(revision.repo()), ModelHost.encoded(revision.revision()))));
    if (answer.status() != 200) {
      throw refused(revision, answer);
    }
    if (!(ModelHost.json(answer) instanceof Map<?, ?> info)
        || !(info.get("Data") instanceof Map<?, ?> data)
        || !(data.get("Files") instanceof List<?> entries)) {
      throw refused(revision, answer);
    }
    try {
      List<RepoFile> files = new ArrayList<>();
      for (Object entry : entries) {
        if (entry instanceof Map<?, ?> values && "blob".equals(values.get("Type"))) {
          files.add(
              new RepoFile(
                  ModelHost.string(values, "Path").orElse(""),
                  ModelHost.size(values, "Size"),
                  "",
                  ModelHost.string(values, "Sha256"),
                  Optional.empty()));
        }
      }
      return new RepoListing(revision, commit(files), files, licence(revision));
    } catch (IllegalArgumentException e) {
      throw ModelHost.protocol(e);
    }
  }

  /** What the card says, where it can be had; the files are there without it. */
  private Licence licence(RepoRevision revision) throws IOException, InterruptedException {
    Http.Answer<byte[]> answer = http.text(URI.create(model(revision.repo())));
    return answer.status() == 200
            && ModelHost.json(answer) instanceof Map<?, ?> info
            && info.get("Data") instanceof Map<?, ?> data
        ? ModelHost.string(data, "License")
            .filter(text -> !text.isBlank())
            .map(text -> new Licence(text.replaceAll("\\p{Cntrl}+", " "), Optional.empty()))
            .orElse(Licence.NONE_NAMED)
        : Licence.NONE_NAMED;
  }

  /**
   * A name for exactly these files, since the listing has none: 40 digits of a hash over their
   * paths and hashes.
   */
  private static String commit(List<RepoFile> files) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    files.stream()
        .sorted(Comparator.comparing(RepoFile::path))
        .forEach(
            file ->
                digest.update(
                    (file.path() + "\0" + file.etag() + "\n").getBytes(StandardCharsets.UTF_8)));
    return HexFormat.of().formatHex(digest.digest()).substring(0, 40);
  }

  private String model(RepoId repo) {
    return endpoint + "/api/v1/models/" + repo.path();
  }

  private String repo(RepoId repo) {
    return model(repo) + "/repo";
  }

  @Override
  public URI address(RepoListing listing, RepoFile file) {
    return URI.create(
        "%s?Revision=%s&FilePath=%s"
            .formatted(
                repo(listing.revision().repo()),
                ModelHost.encoded(listing.revision().revision()),
                ModelHost.encoded(file.path())));
  }

  @Override
  public HubException refused(RepoRevision revision, Http.Answer<byte[]> answer) {
    return new HubException(
        HubException.Reason.NO_REPOSITORY,
        "[hub] %s is not at %s, has no such revision, or is not public: check the name, or set MODELSCOPE_API_TOKEN."
            .formatted(revision, endpoint));
  }
}
