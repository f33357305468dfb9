package io.github.kolors4j.metadata;

import io.github.kolors4j.checkpoint.Identity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Which model made a picture: hashes of its components, which two downloads of one checkpoint
 * share, and a name for people.
 *
 * @param name that of the checkpoint's folder, or {@code owner/name@revision} of one in Hugging
 *     Face's cache; two models of other names can be the same
 * @param components each component's hash, 64 hexadecimal digits, by the name of its folder: {@code
 *     tokenizer}, {@code text_encoder}, {@code unet}, {@code vae}
 */
public record ModelIdentity(String name, Map<String, String> components) {

  /** Keeps a copy. */
  public ModelIdentity {
    Objects.requireNonNull(name, "name");
    components = Collections.unmodifiableMap(new LinkedHashMap<>(components));
  }

  /**
   * One hash for the whole model.
   *
   * @return a SHA-256 over those of the components, 64 hexadecimal digits
   */
  public String hash() {
    Identity identity = new Identity();
    components.forEach((component, hash) -> identity.add(component + " " + hash));
    return identity.digits();
  }

  /**
   * What two models do not share.
   *
   * @param other another model
   * @return the names of the components whose hashes differ, or that only one has; empty for the
   *     same model
   */
  public List<String> differences(ModelIdentity other) {
    List<String> differing = new ArrayList<>();
    components.forEach(
        (component, hash) -> {
          if (!hash.equals(other.components.get(component))) {
            differing.add(component);
          }
        });
    other.components.keySet().stream()
        .filter(component -> !components.containsKey(component))
        .forEach(differing::add);
    return List.copyOf(differing);
  }
}
