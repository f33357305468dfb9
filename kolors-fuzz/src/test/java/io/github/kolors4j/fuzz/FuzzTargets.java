package io.github.kolors4j.fuzz;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.adapter.Adapter;
import io.github.kolors4j.batch.BatchTable;
import io.github.kolors4j.batch.TableRow;
import io.github.kolors4j.chatglm.ChatGlmModel;
import io.github.kolors4j.checkpoint.JsonConfig;
import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.SaveOptions;
import io.github.kolors4j.cli.TensorFiles;
import io.github.kolors4j.clip.CLIPVisionModel;
import io.github.kolors4j.controlnet.ControlNetConfig;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.ipadapter.IpAdapterModel;
import io.github.kolors4j.metadata.EngineVersion;
import io.github.kolors4j.metadata.ModelIdentity;
import io.github.kolors4j.metadata.PictureMetadata;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.DType;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.PickleFile;
import io.github.kolors4j.safetensors.SafetensorsFile;
import io.github.kolors4j.safetensors.SafetensorsWriter;
import io.github.kolors4j.safetensors.ShardedSafetensors;
import io.github.kolors4j.safetensors.TensorData;
import io.github.kolors4j.safetensors.TensorSource;
import io.github.kolors4j.scheduler.NoiseSource;
import io.github.kolors4j.scheduler.Schedule;
import io.github.kolors4j.scheduler.Scheduler;
import io.github.kolors4j.scheduler.SchedulerType;
import io.github.kolors4j.scheduler.Schedulers;
import io.github.kolors4j.scheduler.Slice;
import io.github.kolors4j.scheduler.Steps;
import io.github.kolors4j.tensor.Products;
import io.github.kolors4j.tensor.random.TorchGenerator;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.unet.UNet2DConditionConfig;
import io.github.kolors4j.unet.UNet2DConditionModel;
import io.github.kolors4j.vae.AutoencoderKL;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Every reader of files that the library has, each with good files to begin with. */
final class FuzzTargets {
  /** In the order of a checkpoint, then what a request brings. */
  static final List<FuzzTarget> ALL = all();

  /** How the names of tables begin. */
  static final String TABLE = "table";

  private static final PictureLimits LIMITS = new PictureLimits(1 << 16, 1 << 20);

  private static final long SMALL = 1 << 20;

  /** Names of all the weights of a model, with their shapes. */
  private static final long MODEL = 8 << 20;

  /**
   * The pixels of the limit in all the forms that a decoder has them in take 4 MB, the tables of a
   * lossless WebP file up to 17.
   */
  private static final long PICTURE = 24 << 20;

  private FuzzTargets() {}

  /** Opens what a folder holds. */
  @FunctionalInterface
  private interface Opener {
    Object open(Path folder) throws IOException;
  }

  private static List<FuzzTarget> all() {
    try {
      List<FuzzTarget> targets = new ArrayList<>();
      addTensors(targets);
      addCheckpoint(targets);
      addTokenizer(targets);
      addPictures(targets);
      addMetadata(targets);
      addTables(targets);
      addOtherWeights(targets);
      addExtensions(targets);
      return List.copyOf(targets);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void addTensors(List<FuzzTarget> targets) throws IOException {
    Path work = folder("tensors");
    List<byte[]> files = new ArrayList<>();
    files.add(written(work, Map.of(), Map.of("a", TensorData.f32(new float[] {1}, 1))));
    files.add(
        written(
            work,
            Map.of("format", "pt", "\u6f22", "\u5b57\n"),
            Map.of(
                "scalar", TensorData.f32(new float[] {1}),
                "nothing", TensorData.f32(new float[0], 0, 3),
                "ids", TensorData.i64(new long[] {1, 2, 3}, 3, 1),
                "unet.conv_in.weight", TensorData.f32(new float[36], 2, 2, 3, 3))));
    targets.add(
        new FuzzTarget(
            "safetensors",
            work.toString(),
            files,
            new SafetensorsMutator(),
            inFolder(
                work,
                "x.safetensors",
                folder -> tensors(SafetensorsFile.open(folder.resolve("x.safetensors")))),
            SMALL));

    Path sharded = folder("sharded");
    Files.write(sharded.resolve("m-1.safetensors"), files.get(0));
    Files.write(sharded.resolve("m-2.safetensors"), files.get(1));
    String index =
        """
        {"metadata": {"total_size": 180}, "weight_map": {"a": "m-1.safetensors",
         "scalar": "m-2.safetensors", "nothing": "m-2.safetensors", "ids": "m-2.safetensors",
         "unet.conv_in.weight": "m-2.safetensors"}}
        """;
    targets.add(
        new FuzzTarget(
            "safetensors index",
            sharded.toString(),
            List.of(index.getBytes(StandardCharsets.UTF_8)),
            new JsonMutator(),
            inFolder(
                sharded,
                "m.index.json",
                folder -> tensors(ShardedSafetensors.openIndex(folder.resolve("m.index.json")))),
            SMALL));

    Path given = folder("given");
    byte[] latents =
        written(given, Map.of(), Map.of("latents", TensorData.f32(new float[64], 1, 4, 4, 4)));
    targets.add(
        new FuzzTarget(
            "latents",
            given.toString(),
            List.of(latents),
            new SafetensorsMutator(),
            inFolder(
                given,
                "l.safetensors",
                folder -> TensorFiles.latents(folder.resolve("l.safetensors"))),
            SMALL));
    byte[] embeds =
        written(
            given,
            Map.of(),
            Map.of(
                "prompt_embeds", TensorData.f32(new float[6], 1, 3, 2),
                "pooled_prompt_embeds", TensorData.f32(new float[2], 1, 2),
                "negative_prompt_embeds", TensorData.f32(new float[6], 1, 3, 2),
                "negative_pooled_prompt_embeds", TensorData.f32(new float[2], 1, 2)));
    targets.add(
        new FuzzTarget(
            "embeds",
            given.toString(),
            List.of(embeds),
            new SafetensorsMutator(),
            inFolder(
                given,
                "e.safetensors",
                folder -> TensorFiles.embeds(folder.resolve("e.safetensors"))),
            SMALL));
  }

  private static void addCheckpoint(List<FuzzTarget> targets) throws IOException {
    Path mini = MiniCheckpoint.directory();
    targets.add(
        config(
            "model_index.json",
            "",
            mini,
            folder -> {
              try (KolorsPipeline pipeline = KolorsPipeline.builder(folder).threads(1).open()) {
                return pipeline.scheduler().config();
              }
            }));
    targets.add(
        config(
            "config.json",
            "unet",
            mini.resolve("unet"),
            folder -> {
              try (var unet = UNet2DConditionModel.load(folder, Optional.empty())) {
                return unet.config();
              }
            }));
    targets.add(
        config(
            "config.json",
            "vae",
            mini.resolve("vae"),
            folder -> {
              try (var vae = AutoencoderKL.load(folder, Optional.empty())) {
                return vae.config();
              }
            }));
    targets.add(
        config(
            "config.json",
            "text_encoder",
            mini.resolve("text_encoder"),
            folder -> {
              try (var textEncoder = ChatGlmModel.load(folder, Optional.empty())) {
                return textEncoder.config();
              }
            }));
    Path schedulers = folder("scheduler");
    List<byte[]> seeds = new ArrayList<>();
    seeds.add(Files.readAllBytes(mini.resolve("scheduler/scheduler_config.json")));
    for (SchedulerType type : Schedulers.all()) {
      Path saved = folder("saved-" + type.className());
      Schedulers.save(
          type.fromConfig(Schedulers.load(mini.resolve("scheduler")).config(), Map.of()), saved);
      seeds.add(Files.readAllBytes(saved.resolve("scheduler_config.json")));
    }
    targets.add(
        new FuzzTarget(
            "scheduler_config.json",
            "scheduler_config.json",
            seeds,
            new JsonMutator(),
            inFolder(schedulers, "scheduler_config.json", FuzzTargets::scheduled),
            // tables of the most timesteps that there may be
            48 << 20));
  }

  private static void addTokenizer(List<FuzzTarget> targets) throws IOException {
    Path mini = MiniCheckpoint.directory().resolve("tokenizer");
    Path folder = linked("tokenizer", mini, "tokenizer.model");
    byte[] model = Files.readAllBytes(mini.resolve("tokenizer.model"));
    List<byte[]> models = List.of(few(model), model);
    targets.add(
        new FuzzTarget(
            "tokenizer.model",
            "tokenizer.model",
            models,
            new ProtobufMutator(),
            inFolder(folder, "tokenizer.model", FuzzTargets::tokenized),
            MODEL));
    targets.add(config("tokenizer_config.json", "", mini, FuzzTargets::tokenized));
    Path tokens = linked("added tokens", mini, "added_tokens.json");
    targets.add(
        new FuzzTarget(
            "added_tokens.json",
            "added_tokens.json",
            List.of("{\"a\": [], \"b\": {}, \"c\": null}\n".getBytes(StandardCharsets.UTF_8)),
            new JsonMutator(),
            inFolder(tokens, "added_tokens.json", FuzzTargets::tokenized),
            MODEL));
  }

  private static void addPictures(List<FuzzTarget> targets) throws IOException {
    Map<String, List<byte[]>> byFormat = new TreeMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(resource("/images/files.safetensors"))) {
      for (String name : file.names()) {
        if (name.startsWith("input.file.")) {
          String format = name.substring(name.lastIndexOf('.') + 1);
          byFormat
              .computeIfAbsent(format, _ -> new ArrayList<>())
              .add(file.data(name).toArray(ValueLayout.JAVA_BYTE));
        }
      }
    }
    byFormat.forEach(
        (format, files) -> {
          files.sort(Comparator.comparingInt(file -> file.length));
          targets.add(
              new FuzzTarget(
                  format,
                  "upload." + format,
                  files,
                  new PictureMutator(),
                  file -> KolorsImage.read(file, "upload." + format, LIMITS),
                  PICTURE));
        });
  }

  /** Tables of requests. */
  private static void addTables(List<FuzzTarget> targets) throws IOException {
    Path folder = folder("tables");
    String csv =
        """
        id,prompt,seed,scheduler_options,note\r
        a,"a ""red"" cup, 一\r
        on blue",7,"{""use_karras_sigmas"": true}",1\r
        b,x,,,""
        """;
    String lines =
        """
        {"id": "a", "prompt": "x", "seed": 7, "original_size": [16, 24]}

        {"prompt": "一", "note": {"a": null}}
        """;
    Map.of(TABLE + ".csv", csv, TABLE + ".jsonl", lines)
        .forEach(
            (name, text) ->
                targets.add(
                    new FuzzTarget(
                        name,
                        name,
                        List.of(text.getBytes(StandardCharsets.UTF_8)),
                        new ByteMutator(),
                        inFolder(
                            folder,
                            name,
                            in -> {
                              List<TableRow> rows = new ArrayList<>();
                              BatchTable.read(in.resolve(name)).forEach(rows::add);
                              return rows;
                            }),
                        SMALL)));
  }

  /** What a picture of this library says of how it was made: as JSON, and as the whole file. */
  private static void addMetadata(List<FuzzTarget> targets) throws IOException {
    Path folder = folder("metadata");
    KolorsImage pixel = KolorsImage.of(1, 1, new byte[3]);
    ImageRequest request = ImageRequest.builder("a ladybug, \u4e00").seed(7).size(32, 24).build();
    PictureMetadata metadata =
        PictureMetadata.of(
            request,
            0,
            pixel,
            Schedulers.load(MiniCheckpoint.directory().resolve("scheduler")),
            new ModelIdentity("mini", Map.of("unet", "00")),
            EngineVersion.current(Products.F32));
    targets.add(
        new FuzzTarget(
            "picture metadata",
            "a.png",
            List.of(metadata.toJson().getBytes(StandardCharsets.UTF_8)),
            new JsonMutator(),
            json -> {
              Path file = folder.resolve("a.png");
              Files.deleteIfExists(file);
              String text = new String(json, StandardCharsets.UTF_8);
              pixel.save(file, ImageFormat.PNG, Map.of(PictureMetadata.KEYWORD, text));
              return PictureMetadata.read(file).orElseThrow();
            },
            MODEL));
    List<byte[]> files = new ArrayList<>();
    for (ImageFormat format : ImageFormat.values()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      pixel.writeTo(out, format, metadata.texts());
      files.add(out.toByteArray());
    }
    targets.add(
        new FuzzTarget(
            "picture texts",
            "texts",
            files,
            new PictureMutator(),
            inFolder(folder, "texts", opened -> metadataOf(opened.resolve("texts"))),
            MODEL));
  }

  /** Adapters, pickles, and weights in a file of their own or of 8 bits. */
  private static void addOtherWeights(List<FuzzTarget> targets) throws IOException {
    List<byte[]> adapters = new ArrayList<>();
    for (String dialect :
        List.of("locon_tucker", "peft", "kohya_alphas", "kohya_sgm", "dora_peft", "lokr", "loha")) {
      adapters.add(Files.readAllBytes(resource("/adapter/" + dialect + ".safetensors")));
    }
    Path adapter = folder("adapter");
    targets.add(
        new FuzzTarget(
            "adapter",
            adapter.toString(),
            adapters,
            new SafetensorsMutator(),
            inFolder(
                adapter,
                "a.safetensors",
                folder -> Adapter.load(folder.resolve("a.safetensors")).sha256()),
            MODEL));
    Path pickle = folder("pickle");
    targets.add(
        new FuzzTarget(
            "pickle",
            pickle.toString(),
            List.of(
                Files.readAllBytes(resource("/adapter/views.bin")),
                Files.readAllBytes(resource("/adapter/diffsynth.ckpt"))),
            new PickleMutator(),
            inFolder(pickle, "p.bin", folder -> tensors(PickleFile.open(folder.resolve("p.bin")))),
            MODEL));

    Path mini = MiniCheckpoint.directory();
    Path vae = mini.resolve("vae");
    Path single = folder("single file");
    targets.add(
        new FuzzTarget(
            "single file",
            single.toString(),
            List.of(Files.readAllBytes(vae.resolve("diffusion_pytorch_model.fp16.safetensors"))),
            new SafetensorsMutator(),
            inFolder(
                single,
                "vae.safetensors",
                folder -> {
                  Path file = folder.resolve("vae.safetensors");
                  try (AutoencoderKL model = AutoencoderKL.loadFile(vae, file)) {
                    return model.config();
                  }
                }),
            MODEL));

    Path quantized = folder("8 bits");
    Path textEncoder = quantized.resolve("checkpoint/text_encoder");
    try (KolorsPipeline pipeline = KolorsPipeline.builder(mini).threads(1).open()) {
      pipeline.savePretrained(
          quantized.resolve("checkpoint"), SaveOptions.DEFAULT.withInt8(Set.of("text_encoder")));
    }
    String file;
    try (Stream<Path> files = Files.list(textEncoder)) {
      file =
          files
              .map(each -> each.getFileName().toString())
              .filter(each -> each.endsWith(".safetensors"))
              .sorted()
              .findFirst()
              .orElseThrow();
    }
    Path linked = linked("text encoder of 8 bits", textEncoder, file);
    targets.add(
        new FuzzTarget(
            "weights of 8 bits",
            linked.toString(),
            List.of(Files.readAllBytes(textEncoder.resolve(file))),
            new SafetensorsMutator(),
            inFolder(
                linked,
                file,
                folder -> {
                  try (ChatGlmModel model = ChatGlmModel.load(folder, Optional.empty())) {
                    return model.config();
                  }
                }),
            MODEL));
  }

  /** What follows pictures: a ControlNet, an image adapter and its encoder. */
  private static void addExtensions(List<FuzzTarget> targets) throws IOException {
    targets.add(
        config("config.json", "controlnet", MiniCheckpoint.controlNet(), FuzzTargets::controlNet));
    targets.add(
        config(
            "config.json",
            "image_encoder",
            MiniCheckpoint.ipAdapter().resolve("image_encoder"),
            folder -> {
              try (CLIPVisionModel encoder = CLIPVisionModel.load(folder)) {
                return encoder.config();
              }
            }));

    // a small one
    JsonConfig json = JsonConfig.parse("config.json", config("/controlnet/kolors_like"));
    Path controlNet = folder("small controlnet");
    Files.writeString(controlNet.resolve("config.json"), config("/controlnet/kolors_like"));
    String weights = "diffusion_pytorch_model.safetensors";
    targets.add(
        new FuzzTarget(
            "controlnet",
            controlNet.toString(),
            List.of(zeros(controlNet, ControlNetModel.parameters(ControlNetConfig.of(json)))),
            new SafetensorsMutator(),
            inFolder(controlNet, weights, FuzzTargets::controlNet),
            MODEL));

    UNet2DConditionConfig unet =
        UNet2DConditionConfig.of(JsonConfig.parse("config.json", config("/unet/odd_latents")));
    byte[] published = Files.readAllBytes(resource("/ipadapter/odd_latents.bin"));
    List<Parameter> parameters;
    try (PickleFile pickle = PickleFile.open(resource("/ipadapter/odd_latents.bin"))) {
      parameters =
          pickle.names().stream()
              .map(name -> new Parameter(name, pickle.find(name).orElseThrow().shape()))
              .toList();
    }
    Path safetensors = folder("ip-adapter");
    targets.add(ipAdapter(safetensors, zeros(safetensors, parameters), ".safetensors", unet));
    targets.add(ipAdapter(folder("ip-adapter pickle"), published, ".bin", unet));
  }

  private static FuzzTarget ipAdapter(
      Path folder, byte[] seed, String suffix, UNet2DConditionConfig unet) {
    boolean pickle = suffix.equals(".bin");
    return new FuzzTarget(
        pickle ? "ip-adapter pickle" : "ip-adapter",
        folder.toString(),
        List.of(seed),
        pickle ? new PickleMutator() : new SafetensorsMutator(),
        inFolder(
            folder,
            "ip_adapter_plus_general" + suffix,
            in -> {
              IpAdapter adapter = IpAdapter.of(in);
              try (IpAdapterModel model = adapter.load(unet)) {
                return List.of(adapter.kind(), adapter.identity(), model.config());
              }
            }),
        MODEL);
  }

  private static Object controlNet(Path folder) throws IOException {
    try (ControlNetModel net = ControlNetModel.load(folder)) {
      return net.config();
    }
  }

  /** The configuration of a model that the core's tests compare with diffusers'. */
  private static String config(String fixture) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(resource(fixture + ".safetensors"))) {
      return file.metadata().get("config");
    }
  }

  /** A file with a model's weights, all zero. */
  private static byte[] zeros(Path folder, List<Parameter> parameters) throws IOException {
    Path file = folder.resolve("seed.safetensors");
    List<SafetensorsWriter.Entry> entries =
        parameters.stream()
            .map(each -> new SafetensorsWriter.Entry(each.name(), DType.F16, each.shape()))
            .toList();
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, entries, Map.of());
        Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < entries.size(); i++) {
        long bytes = Short.BYTES * parameters.get(i).size();
        writer.write(entries.get(i).name(), arena.allocate(bytes));
      }
    }
    byte[] bytes = Files.readAllBytes(file);
    Files.delete(file);
    return bytes;
  }

  /** A file without the texts, as one that ends before them, is as good as refused. */
  private static Object metadataOf(Path file) throws IOException {
    return PictureMetadata.read(file)
        .orElseThrow(() -> new InvalidFileException("[metadata] " + file + ": says nothing."));
  }

  /** One JSON file of a folder, whose other files are good. */
  private static FuzzTarget config(String file, String component, Path good, Opener opener)
      throws IOException {
    String name = component.isEmpty() ? file : component + "/" + file;
    Path folder = linked(component.isEmpty() ? file : component, good, file);
    return new FuzzTarget(
        name,
        component.isEmpty() ? file : component,
        List.of(Files.readAllBytes(good.resolve(file))),
        new JsonMutator(),
        inFolder(folder, file, opener),
        MODEL);
  }

  /** Of all that there may be, a run of four steps. */
  private static Object scheduled(Path folder) throws IOException {
    Scheduler scheduler = Schedulers.load(folder);
    Schedule schedule = scheduler.schedule(Steps.of(4));
    Schedule.Run run =
        schedule.start(NoiseSource.of(new TorchGenerator(0), UnaryOperator.identity()));
    float[] sample = {1, -1, 0.5f, 0};
    float[] output = {0.1f, 0.2f, -0.3f, 0};
    for (int i = 0; i < schedule.timesteps().length; i++) {
      run.scaleModelInput(i, Slice.of(sample), Slice.of(sample.clone()));
      run.step(i, Slice.of(output), Slice.of(sample));
    }
    return scheduler.config();
  }

  private static Object tokenized(Path folder) throws IOException {
    ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(folder);
    int[] ids =
        tokenizer
            .encode("a ladybug, \u4e00\u53ea\u74e2\u866b <|user|> \ud83d\ude00", 64)
            .inputIds();
    return tokenizer.decode(ids) + Arrays.toString(ids);
  }

  /** Each tensor's type, shape and bytes. */
  private static Object tensors(TensorSource open) {
    try (TensorSource source = open) {
      Map<String, Object> read = new TreeMap<>(source.metadata());
      for (String name : source.names()) {
        var info = source.find(name).orElseThrow();
        byte[] bytes = source.data(name).toArray(ValueLayout.JAVA_BYTE);
        read.put(name, List.of(info.dtype(), info.shape(), Arrays.toString(bytes)));
      }
      return read;
    }
  }

  /** A vocabulary without most of its pieces. */
  private static byte[] few(byte[] model) {
    List<ProtobufMutator.Field> fields = ProtobufMutator.fields(model);
    List<ProtobufMutator.Field> few = new ArrayList<>();
    int normal = 0;
    for (ProtobufMutator.Field field : fields) {
      boolean isNormal = field.number() == 1 && ProtobufMutator.fields(field.value()).size() < 3;
      if (!isNormal || normal++ < 40) {
        few.add(field);
      }
    }
    return ProtobufMutator.written(few);
  }

  private static FuzzTarget.Reader inFolder(Path folder, String file, Opener opener) {
    Path path = folder.resolve(file);
    return bytes -> {
      // A file that is cut to nothing and written again, some file systems write to the disk at
      // once.
      Files.deleteIfExists(path);
      Files.write(path, bytes);
      return opener.open(folder);
    };
  }

  /** A folder with all that another has, by links, but for one file. */
  private static Path linked(String name, Path good, String but) throws IOException {
    Path folder = folder(name);
    try (Stream<Path> files = Files.list(good)) {
      for (Path file : files.toList()) {
        if (!file.getFileName().toString().equals(but)) {
          Files.createSymbolicLink(folder.resolve(file.getFileName()), file.toAbsolutePath());
        }
      }
    }
    return folder;
  }

  /** An empty folder below {@code target}. */
  private static Path folder(String name) throws IOException {
    Path all = Files.createDirectories(Path.of("target", "fuzz").toAbsolutePath());
    Path folder = Files.createTempDirectory(all, name.replace(' ', '-') + "-");
    return folder;
  }

  private static byte[] written(
      Path folder, Map<String, String> metadata, Map<String, TensorData> tensors)
      throws IOException {
    Path file = folder.resolve("seed.safetensors");
    SafetensorsWriter.write(file, metadata, new LinkedHashMap<>(new TreeMap<>(tensors)));
    byte[] bytes = Files.readAllBytes(file);
    Files.delete(file);
    return bytes;
  }

  private static Path resource(String name) {
    try {
      return Path.of(FuzzTargets.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
