package io.github.kolors4j.adapter;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What a tensor of an adapter's file is to the update of a module, by the end of its name. */
enum Role {
  /** A, {@code [rank, in]}, of a convolution {@code [rank, in, kh, kw]}. */
  DOWN("lora_A", "lora.down", "lora_down", "lora_linear_layer.down"),
  /** B, {@code [out, rank]}, of a convolution {@code [out, rank, 1, 1]}. */
  UP("lora_B", "lora.up", "lora_up", "lora_linear_layer.up"),
  /** The core of a Tucker decomposition between A and B, {@code [rank, rank, kh, kw]}. */
  MID("lora_mid"),
  /** What the update is multiplied by, times the rank. */
  ALPHA("alpha"),
  /** DoRA's magnitudes as kohya's scripts have them: {@code [out, 1]}, or {@code [1, in]}. */
  DORA_SCALE("dora_scale"),
  /** DoRA's magnitudes as PEFT has them: one an output, whatever the axis. */
  MAGNITUDE("lora_magnitude_vector"),
  HADA_W1_A("hada_w1_a"),
  HADA_W1_B("hada_w1_b"),
  HADA_W2_A("hada_w2_a"),
  HADA_W2_B("hada_w2_b"),
  HADA_T1("hada_t1"),
  HADA_T2("hada_t2"),
  LOKR_W1("lokr_w1"),
  LOKR_W1_A("lokr_w1_a"),
  LOKR_W1_B("lokr_w1_b"),
  LOKR_W2("lokr_w2"),
  LOKR_W2_A("lokr_w2_a"),
  LOKR_W2_B("lokr_w2_b"),
  LOKR_T2("lokr_t2");

  /**
   * A name's parts.
   *
   * @param module the module, as the file spells it
   * @param role what the tensor is to it
   */
  record Name(String module, Role role) {}

  private static final Map<String, Role> BY_ENDING =
      Arrays.stream(values())
          .flatMap(role -> role.endings.stream().map(ending -> Map.entry(ending, role)))
          .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

  /** Module, ending, and what PEFT may put between: the adapter's name. */
  private static final Pattern NAME =
      Pattern.compile(
          BY_ENDING.keySet().stream()
              .sorted(Comparator.comparingInt(String::length).reversed())
              .map(Pattern::quote)
              .collect(
                  Collectors.joining(
                      "|", "(.+)\\.(", ")(?:\\.(?!bias$)[A-Za-z0-9_-]+?)?(?:\\.weight)?")));

  /** The attention processors of diffusers before 0.24. */
  private static final Pattern PROCESSOR =
      Pattern.compile("(.+)\\.processor\\.(to_q|to_k|to_v|to_out)_(lora\\.(?:down|up))\\.weight");

  @SuppressWarnings("ImmutableEnumChecker") // it is: List.of
  private final List<String> endings;

  Role(String... endings) {
    this.endings = List.of(endings);
  }

  /** How names end that have this role, in its best known spelling. */
  String ending() {
    return endings.getFirst();
  }

  /** What a tensor's name says; empty where it is no name of an adapter. */
  static Optional<Name> of(String name) {
    return parsed(PROCESSOR.matcher(name), groups -> groups.group(1) + "." + groups.group(2), 3)
        .or(() -> parsed(NAME.matcher(name), groups -> groups.group(1), 2));
  }

  private static Optional<Name> parsed(
      Matcher matcher, Function<Matcher, String> module, int ending) {
    if (!matcher.matches()) {
      return Optional.empty();
    }
    Role role = BY_ENDING.get(matcher.group(ending));
    return role == null ? Optional.empty() : Optional.of(new Name(module.apply(matcher), role));
  }
}
