package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.Variant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The files of a revision that a pipeline opens: the {@code model_index.json}, of each component
 * that it names the configurations and one copy of the weights, and the licence. A repository of
 * one component, with a {@code config.json} in its root, is planned alike; one of an IP-Adapter has
 * the adapter's file and the folder of its image encoder, of which pickles are taken where there is
 * nothing else.
 *
 * @param listing all that there is
 * @param files what is to be in the cache, the one that makes the rest findable last
 */
public record PullPlan(RepoListing listing, List<RepoFile> files) {
  static final String MODEL_INDEX = "model_index.json";
  private static final String CONFIG = "config.json";
  private static final String SAFETENSORS = ".safetensors";

  /** Weights of other programs, and of frameworks that need none of the rest. */
  private static final Pattern OTHER_WEIGHTS =
      Pattern.compile(".*\\.(bin|ckpt|pt|pth|msgpack|h5|onnx|onnx_data|pb|gguf|tflite|pkl|py|zip)");

  private static final Pattern TERMS =
      Pattern.compile("[\\w. -]*(LICEN[CS]E|NOTICE)[\\w. -]*", Pattern.CASE_INSENSITIVE);

  /** What the files of IP-Adapters are called, in the order in which one is taken. */
  private static final List<String> IMAGE_ADAPTERS =
      List.of(
          "ip_adapter_plus_general.safetensors",
          "ip_adapter_plus_general.bin",
          "ipa-faceid-plus.safetensors",
          "ipa-faceid-plus.bin");

  /** What their image encoders' folders are called. */
  private static final List<String> IMAGE_ENCODERS =
      List.of("image_encoder", "clip-vit-large-patch14-336");

  /** Read of image encoders, where there is nothing better. */
  private static final String PICKLE = "pytorch_model.bin";

  /** The names that diffusers and transformers give to weights. */
  private static final List<String> BASE_NAMES = List.of("diffusion_pytorch_model", "model");

  private static final Pattern SHARD = Pattern.compile("-(\\d{5})-of-(\\d{5})");

  private static final int NAMED_AT_MOST = 4;

  private static final Pattern VARIANT =
      Pattern.compile(
          "(?:diffusion_pytorch_model|model)\\.(?!safetensors)([\\w]+)(?:-\\d{5}-of-\\d{5})?\\.safetensors");

  /** No text in a repository's root that anyone must read is larger. */
  private static final long LARGEST_TEXT = 1 << 20;

  /** Copies the list. */
  public PullPlan {
    files = List.copyOf(files);
  }

  /**
   * Chooses.
   *
   * @param listing all that there is
   * @param modelIndex the {@code model_index.json}, if the revision has one
   * @param variant which copy of the weights
   * @throws HubException if there is no pipeline or component in it, or not in that variant
   */
  static PullPlan of(RepoListing listing, Optional<Map<String, Object>> modelIndex, Variant variant)
      throws HubException {
    Choice choice = new Choice(listing, variant);
    List<String> components =
        modelIndex.orElse(Map.of()).entrySet().stream()
            .filter(entry -> isComponent(entry.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    for (String component : components) {
      choice.component(component);
    }
    if (!components.isEmpty() || choice.imageAdapter()) {
      choice.root();
      return new PullPlan(listing, choice.files());
    }
    if (modelIndex.isPresent()) {
      throw new HubException(
          HubException.Reason.NO_FILE,
          "[hub] %s names no component in its %s: a checkpoint in diffusers' layout is needed, as Kwai-Kolors/Kolors-diffusers."
              .formatted(listing.revision(), MODEL_INDEX));
    } else if (listing.find(CONFIG).isPresent()) {
      choice.component("");
    } else {
      throw new HubException(
          HubException.Reason.NO_FILE,
          "[hub] %s has no %s: a checkpoint in diffusers' layout is needed, as Kwai-Kolors/Kolors-diffusers."
              .formatted(listing.revision(), MODEL_INDEX));
    }
    choice.root();
    return new PullPlan(listing, choice.files());
  }

  /** {@code ["diffusers", "UNet2DConditionModel"]}; a component that is left out has nulls. */
  private static boolean isComponent(@Nullable Object value) {
    return value instanceof List<?> pair
        && pair.size() == 2
        && pair.get(0) instanceof String
        && pair.get(1) instanceof String;
  }

  /**
   * The size of all files, whether they are in the cache or not.
   *
   * @return bytes
   */
  public long bytes() {
    return files.stream().mapToLong(RepoFile::size).sum();
  }

  /** The files that are chosen, in the order in which they are fetched. */
  private static final class Choice {
    private final RepoListing listing;
    private final Variant variant;
    private final Set<RepoFile> chosen = new LinkedHashSet<>();

    private Choice(RepoListing listing, Variant variant) {
      this.listing = listing;
      this.variant = variant;
    }

    void component(String folder) throws HubException {
      component(folder, Optional.empty());
    }

    private void component(String folder, Optional<RepoFile> otherwise) throws HubException {
      List<RepoFile> inside =
          listing.files().stream().filter(file -> file.folder().equals(folder)).toList();
      if (inside.isEmpty()) {
        throw new HubException(
            HubException.Reason.NO_FILE,
            "[hub] %s: the %s names a component \"%s\", and there is no such folder."
                .formatted(listing.revision(), MODEL_INDEX, folder));
      }
      for (RepoFile file : inside) {
        if (isText(file) && (!folder.isEmpty() || file.name().endsWith(".json"))) {
          chosen.add(file);
        }
      }
      weights(folder, inside, otherwise);
    }

    /** An IP-Adapter, whose repository has no layout of diffusers'; false where there is none. */
    boolean imageAdapter() throws HubException {
      Optional<RepoFile> adapter =
          IMAGE_ADAPTERS.stream().flatMap(name -> listing.find(name).stream()).findFirst();
      if (adapter.isEmpty()) {
        return false;
      }
      chosen.add(adapter.get());
      for (String folder : IMAGE_ENCODERS) {
        if (listing.find(folder + "/" + CONFIG).isPresent()) {
          Optional<RepoFile> pickle = listing.find(folder + "/" + PICKLE);
          component(folder, pickle);
        }
      }
      return true;
    }

    /** What is neither weights nor belongs to some: configurations, vocabularies. */
    private static boolean isText(RepoFile file) {
      String name = file.name().toLowerCase(Locale.ROOT);
      return !name.startsWith(".")
          && !name.contains(SAFETENSORS)
          && !name.contains(".index.")
          && !OTHER_WEIGHTS.matcher(name).matches();
    }

    private void weights(String folder, List<RepoFile> inside, Optional<RepoFile> otherwise)
        throws HubException {
      Optional<List<RepoFile>> found = weights(inside, variant.name());
      if (found.isEmpty() && variant.orPlain()) {
        found = weights(inside, "");
      }
      if (found.isEmpty() && variant.equals(Variant.DEFAULT)) {
        Set<String> others = variants(inside);
        if (others.size() == 1) {
          found = weights(inside, others.iterator().next());
        }
      }
      if (found.isEmpty()) {
        found = otherwise.map(List::of);
      }
      if (found.isPresent()) {
        chosen.addAll(found.get());
        return;
      }
      List<String> others =
          inside.stream()
              .map(RepoFile::name)
              .filter(name -> !name.endsWith(".py"))
              .filter(name -> name.contains(SAFETENSORS) || OTHER_WEIGHTS.matcher(name).matches())
              .limit(NAMED_AT_MOST)
              .toList();
      if (!others.isEmpty() || named(inside, CONFIG).isPresent()) {
        throw new HubException(
            HubException.Reason.NO_FILE,
            "[hub] %s has no %s weights in safetensors for %s%s: choose another variant or repository."
                .formatted(
                    listing.revision(),
                    variant.name().isEmpty() ? "plain" : variant.name(),
                    folder.isEmpty() ? "the model" : folder,
                    others.isEmpty() ? "" : "; there is " + String.join(", ", others)));
      }
    }

    /** One file, or an index with its shards; nothing where the folder has none of that variant. */
    private Optional<List<RepoFile>> weights(Collection<RepoFile> inside, String name)
        throws HubException {
      String dotted = name.isEmpty() ? "" : "." + name;
      for (String base : BASE_NAMES) {
        Optional<RepoFile> whole = named(inside, base + dotted + SAFETENSORS);
        if (whole.isPresent()) {
          return Optional.of(List.of(whole.get()));
        }
        String index = base + SAFETENSORS + ".index" + dotted + ".json";
        String olderIndex = base + SAFETENSORS + dotted + ".index.json";
        Optional<RepoFile> shardIndex = named(inside, index).or(() -> named(inside, olderIndex));
        if (shardIndex.isPresent()) {
          List<RepoFile> files = new ArrayList<>();
          files.add(shardIndex.get());
          files.addAll(shards(inside, base, dotted));
          return Optional.of(files);
        }
      }
      return Optional.empty();
    }

    /** {@code bf16} of {@code model.bf16.safetensors}: the only one is taken, as from a folder. */
    private static Set<String> variants(Collection<RepoFile> inside) {
      Set<String> variants = new LinkedHashSet<>();
      for (RepoFile file : inside) {
        Matcher weights = VARIANT.matcher(file.name());
        if (weights.matches()) {
          variants.add(weights.group(1));
        }
      }
      return variants;
    }

    private static Optional<RepoFile> named(Collection<RepoFile> inside, String name) {
      return inside.stream().filter(file -> file.name().equals(name)).findFirst();
    }

    /** {@code model.fp16-00001-of-00007.safetensors}, or with the variant after the number. */
    private List<RepoFile> shards(Collection<RepoFile> inside, String base, String dotted)
        throws HubException {
      List<RepoFile> shards = new ArrayList<>();
      int count = 0;
      for (RepoFile file : inside) {
        Matcher shard = SHARD.matcher(file.name());
        if (shard.find()
            && (file.name().equals(base + dotted + shard.group() + SAFETENSORS)
                || file.name().equals(base + shard.group() + dotted + SAFETENSORS))) {
          shards.add(file);
          count = Integer.parseInt(shard.group(2));
        }
      }
      if (shards.isEmpty() || shards.size() != count) {
        throw new HubException(
            HubException.Reason.NO_FILE,
            "[hub] %s has %s of %s shards of %s%s: an upload that is not complete?"
                .formatted(listing.revision(), shards.size(), count, base, dotted));
      }
      return shards;
    }

    /** The index comes last: a snapshot without it is not taken for one. */
    void root() {
      for (RepoFile file : listing.files()) {
        if (file.folder().isEmpty()
            && file.size() <= LARGEST_TEXT
            && TERMS.matcher(file.name()).matches()) {
          chosen.add(file);
        }
      }
      listing.find(MODEL_INDEX).ifPresent(chosen::add);
    }

    List<RepoFile> files() {
      Optional<RepoFile> last = listing.find(MODEL_INDEX).or(() -> listing.find(CONFIG));
      List<RepoFile> files = new ArrayList<>(chosen);
      last.ifPresent(
          file -> {
            files.remove(file);
            files.add(file);
          });
      return files;
    }
  }
}
