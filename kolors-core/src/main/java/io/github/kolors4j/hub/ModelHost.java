package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A place that has repositories: what it calls things, and how it says no. */
sealed interface ModelHost permits HuggingFaceHost, ModelScopeHost {
  /** The files of a revision. */
  RepoListing list(RepoRevision revision) throws IOException, InterruptedException;

  /** Where a file's bytes are, or what redirects there. */
  URI address(RepoListing listing, RepoFile file);

  /** Why a request was refused for good. */
  HubException refused(RepoRevision revision, Http.Answer<byte[]> answer);

  static ModelHost of(RepoId.Source source, URI endpoint, Http http) {
    return switch (source) {
      case HUGGING_FACE -> new HuggingFaceHost(endpoint, http);
      case MODELSCOPE -> new ModelScopeHost(endpoint, http);
    };
  }

  /** As one part of a path or a query. */
  static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** A path, whose slashes stay. */
  static String encodedPath(String path) {
    return Arrays.stream(path.split("/")).map(ModelHost::encoded).collect(Collectors.joining("/"));
  }

  static @Nullable Object json(Http.Answer<byte[]> answer) throws HubException {
    try {
      return JsonReader.of(answer.body()).document();
    } catch (JsonException e) {
      throw new HubException(
          HubException.Reason.PROTOCOL,
          "[hub] the answer of %s %s Is that a hub?"
              .formatted(Http.shown(answer.uri()), e.reason()),
          e);
    }
  }

  static Optional<String> string(Map<?, ?> object, String key) {
    return object.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
  }

  static long size(Map<?, ?> object, String key) {
    return object.get(key) instanceof Number number ? number.longValue() : -1;
  }

  /** What the server sent does not make sense. */
  static HubException protocol(IllegalArgumentException e) {
    return new HubException(HubException.Reason.PROTOCOL, String.valueOf(e.getMessage()), e);
  }
}
