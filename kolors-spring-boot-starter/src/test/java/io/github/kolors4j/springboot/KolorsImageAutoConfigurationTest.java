package io.github.kolors4j.springboot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.springai.KolorsImageModel;
import io.github.kolors4j.springai.KolorsImageOptions;
import io.github.kolors4j.tensor.Precision;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.observation.DefaultImageModelObservationConvention;
import org.springframework.ai.image.observation.ImageModelObservationConvention;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** What an application gets from its properties. */
class KolorsImageAutoConfigurationTest {
  private static final String PREFIX = "spring.ai.kolors.image.";
  private static final String PROMPT = "一只瓢虫,蓝色背景";

  private static String checkpoint;
  private static ApplicationContextRunner application;

  @BeforeAll
  static void findCheckpoint() throws IOException {
    checkpoint = MiniCheckpoint.directory().toString();
    application =
        new ApplicationContextRunner()
            .withConfiguration(
                AutoConfigurations.of(
                    KolorsImageAutoConfiguration.class, KolorsHealthAutoConfiguration.class))
            .withPropertyValues(
                PREFIX + "model=" + checkpoint,
                PREFIX + "num-inference-steps=2",
                PREFIX + "seed=0");
  }

  private static KolorsImageModel model(AssertableApplicationContext context) {
    assertNull(context.getStartupFailure());
    return context.getBean(KolorsImageModel.class);
  }

  private static Health health(AssertableApplicationContext context) {
    return context.getBean("kolorsHealthIndicator", HealthIndicator.class).health();
  }

  private static Throwable root(Throwable failure) {
    return failure.getCause() == null ? failure : root(failure.getCause());
  }

  private static KolorsImage picture(ImageResponse response) throws IOException {
    byte[] png = Base64.getDecoder().decode(response.getResult().getOutput().getB64Json());
    return KolorsImage.read(png, "response", PictureLimits.DEFAULT);
  }

  @Test
  void anApplicationGetsAnImageModelThatDrawsAsThePipelineDoes() {
    application.run(
        context -> {
          ImageModel model = context.getBean(ImageModel.class);
          try (KolorsPipeline pipeline = KolorsPipeline.open(Path.of(checkpoint))) {
            ImageRequest request =
                ImageRequest.builder(PROMPT).numInferenceSteps(2).seed(0).build();
            assertEquals(
                pipeline.generate(request).image(), picture(model.call(new ImagePrompt(PROMPT))));
          }
        });
  }

  @Test
  void theFirstCallOpensTheCheckpointAndTheEndOfTheApplicationClosesIt() {
    KolorsImageModel[] kept = new KolorsImageModel[1];
    application.run(
        context -> {
          kept[0] = model(context);
          assertTrue(kept[0].openService().isEmpty());
          kept[0].call(new ImagePrompt(PROMPT));
          assertTrue(kept[0].openService().isPresent());
        });
    assertThrows(IllegalStateException.class, () -> kept[0].call(new ImagePrompt(PROMPT)));
    assertThrows(
        IllegalStateException.class, () -> kept[0].service().pipeline().encodePrompt(PROMPT));
  }

  @Test
  void theSizeOfARequestGoesBeforeThatOfTheProperties() {
    application
        .withPropertyValues(PREFIX + "width=96", PREFIX + "height=32")
        .run(
            context -> {
              ImageModel model = context.getBean(ImageModel.class);
              KolorsImage image =
                  picture(
                      model.call(
                          new ImagePrompt(
                              PROMPT, ImageOptionsBuilder.builder().width(64).build())));
              assertEquals(64, image.width());
              assertEquals(32, image.height());
            });
  }

  @Test
  void everyPropertyIsBound() {
    application
        .withPropertyValues(
            PREFIX + "variant=fp16",
            PREFIX + "threads=1",
            PREFIX + "precision=f32-fast",
            PREFIX + "prompt-cache=target/prompts",
            PREFIX + "text-encoder-on-demand=true",
            PREFIX + "queue-capacity=3",
            PREFIX + "concurrency=2",
            PREFIX + "picture-metadata=true",
            PREFIX + "shutdown-timeout=1m",
            PREFIX + "n=2",
            PREFIX + "width=64",
            PREFIX + "height=96",
            PREFIX + "negative-prompt=模糊",
            PREFIX + "guidance-scale=6.5",
            PREFIX + "guidance-rescale=0.7",
            PREFIX + "pag-scale=3",
            PREFIX + "strength=0.5",
            PREFIX + "scheduler=dpmsolver++",
            PREFIX + "scheduler-options.use-karras-sigmas=true",
            PREFIX + "scheduler-options.solver_order=3",
            PREFIX + "vae-tiling=true")
        .run(
            context -> {
              KolorsImageProperties properties = context.getBean(KolorsImageProperties.class);
              assertEquals(
                  new KolorsImageProperties(
                      checkpoint,
                      "fp16",
                      1,
                      Precision.F32_FAST,
                      Path.of("target/prompts"),
                      true,
                      3,
                      2,
                      true,
                      Duration.ofMinutes(1),
                      2,
                      64,
                      96,
                      "模糊",
                      2,
                      6.5,
                      0.7,
                      3.0,
                      0L,
                      0.5,
                      "dpmsolver++",
                      properties.schedulerOptions(),
                      true),
                  properties);
              assertEquals(
                  KolorsImageOptions.builder()
                      .model(checkpoint)
                      .n(2)
                      .width(64)
                      .height(96)
                      .negativePrompt("模糊")
                      .numInferenceSteps(2)
                      .guidanceScale(6.5)
                      .guidanceRescale(0.7)
                      .pagScale(3.0)
                      .seed(0)
                      .strength(0.5)
                      .scheduler("dpmsolver++")
                      .schedulerOptions(Map.of("use_karras_sigmas", "true", "solver_order", "3"))
                      .vaeTiling(true)
                      .build(),
                  model(context).options());
            });
  }

  @Test
  void theEngineAndTheQueueAreThoseOfTheProperties() {
    application
        .withPropertyValues(
            PREFIX + "threads=1", PREFIX + "queue-capacity=3", PREFIX + "concurrency=2")
        .run(
            context -> {
              KolorsImageModel model = model(context);
              assertEquals(3, model.service().queueCapacity());
              assertEquals(2, model.service().concurrency());
              assertEquals(Precision.F32, model.service().pipeline().precision());
            });
  }

  @Test
  void withoutAModelTheApplicationSaysWhichPropertyIsMissing() {
    application
        .withPropertyValues(PREFIX + "model=")
        .run(
            context -> {
              InvalidConfigurationPropertyValueException e =
                  assertInstanceOf(
                      InvalidConfigurationPropertyValueException.class,
                      root(context.getStartupFailure()));
              assertEquals(PREFIX + "model", e.getName());
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "threads=0",
        "queue-capacity=-1",
        "concurrency=0",
        "variant=a/b",
        "num-inference-steps=0",
        "guidance-scale=NaN",
        "scheduler=eulr",
        "precision=f16",
        "seed=x"
      })
  void aValueThatCannotBeEndsTheStart(String property) {
    application
        .withPropertyValues(PREFIX + property)
        .run(
            context ->
                assertTrue(
                    String.valueOf(root(context.getStartupFailure()).getMessage())
                        .contains(property.substring(property.indexOf('=') + 1))));
  }

  @Test
  void anotherProviderCanBeChosen() {
    application
        .withPropertyValues("spring.ai.model.image=openai")
        .run(
            context -> {
              assertNull(context.getStartupFailure());
              assertTrue(context.getBeansOfType(ImageModel.class).isEmpty());
              assertFalse(context.containsBean("kolorsHealthIndicator"));
            });
    application
        .withPropertyValues("spring.ai.model.image=kolors")
        .run(context -> assertNotNull(model(context)));
  }

  @Test
  void theModelOfTheApplicationGoesBeforeThatOfTheProperties() {
    application
        .withBean(
            "own", KolorsImageModel.class, () -> KolorsImageModel.builder().model("DIR").build())
        .run(context -> assertEquals("DIR", model(context).options().getModel()));
  }

  @Test
  void theModelOfAnotherProviderStaysBesideIt() {
    ImageModel other = prompt -> null;
    application
        .withBean("other", ImageModel.class, () -> other)
        .run(
            context -> {
              assertEquals(2, context.getBeansOfType(ImageModel.class).size());
              assertSame(other, context.getBean("other"));
              assertNotNull(model(context));
            });
  }

  @Test
  void callsAreObservedByTheApplicationsRegistryAndConvention() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    ImageModelObservationConvention convention =
        new DefaultImageModelObservationConvention() {
          @Override
          public String getName() {
            return "pictures";
          }
        };
    application
        .withBean(TestObservationRegistry.class, () -> registry)
        .withBean(ImageModelObservationConvention.class, () -> convention)
        .run(context -> model(context).call(new ImagePrompt(PROMPT)));
    TestObservationRegistryAssert.assertThat(registry)
        .hasSingleObservationThat()
        .hasNameEqualTo("pictures")
        .hasLowCardinalityKeyValue("gen_ai.request.model", checkpoint)
        .hasBeenStopped();
  }

  @Test
  void healthIsUnknownBeforeTheFirstCallAndUpAfterIt() {
    application.run(
        context -> {
          assertEquals(Status.UNKNOWN, health(context).getStatus());
          assertTrue(model(context).openService().isEmpty(), "health opens nothing");
          model(context).call(new ImagePrompt(PROMPT));
          Health up = health(context);
          assertEquals(Status.UP, up.getStatus());
          assertEquals(checkpoint, up.getDetails().get("model"));
          assertEquals("f32", up.getDetails().get("precision"));
          assertEquals(0, up.getDetails().get("waiting"));
          assertEquals(16, up.getDetails().get("queueCapacity"));
        });
  }

  @Test
  void healthIsDownWhereTheCheckpointCannotBeOpened() {
    application
        .withPropertyValues(PREFIX + "model=target/no such folder")
        .run(
            context -> {
              KolorsImageModel model = model(context);
              assertThrows(UncheckedIOException.class, () -> model.call(new ImagePrompt(PROMPT)));
              Health down = health(context);
              assertEquals(Status.DOWN, down.getStatus());
              assertTrue(down.getDetails().get("error").toString().contains("no such folder"));
            });
  }

  @Test
  void healthCanBeLeftOut() {
    application
        .withPropertyValues("management.health.kolors.enabled=false")
        .run(context -> assertFalse(context.containsBean("kolorsHealthIndicator")));
    application
        .withClassLoader(new FilteredClassLoader(HealthIndicator.class))
        .run(
            context -> {
              assertFalse(context.containsBean("kolorsHealthIndicator"));
              assertNotNull(model(context));
            });
  }
}
