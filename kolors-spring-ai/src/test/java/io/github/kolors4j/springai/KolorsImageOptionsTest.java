package io.github.kolors4j.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImageOptionsBuilder;

/** The merging of options. */
class KolorsImageOptionsTest {
  private static final KolorsImageOptions DEFAULTS =
      KolorsImageOptions.builder()
          .model("default")
          .n(1)
          .width(64)
          .height(64)
          .negativePrompt("default")
          .numInferenceSteps(1)
          .guidanceScale(1.0)
          .guidanceRescale(0.1)
          .pagScale(1.0)
          .seed(1)
          .strength(0.1)
          .scheduler("euler")
          .schedulerOptions(Map.of("use_karras_sigmas", true))
          .vaeTiling(false)
          .build();

  private static final KolorsImageOptions REQUEST =
      KolorsImageOptions.builder()
          .model("request")
          .n(2)
          .width(128)
          .height(128)
          .negativePrompt("")
          .numInferenceSteps(2)
          .guidanceScale(2.0)
          .guidanceRescale(0.2)
          .pagScale(2.0)
          .seed(2)
          .strength(0.2)
          .scheduler("ddim")
          .schedulerOptions(Map.of("clip_sample", false))
          .vaeTiling(true)
          .build();

  /** Every option but those that are the same for all. */
  static List<Method> options() {
    return Arrays.stream(KolorsImageOptions.class.getMethods())
        .filter(method -> method.getName().startsWith("get"))
        .filter(method -> method.getDeclaringClass() == KolorsImageOptions.class)
        .filter(method -> !List.of("getResponseFormat", "getStyle").contains(method.getName()))
        .toList();
  }

  private static Object value(Method option, KolorsImageOptions options) throws Exception {
    return option.invoke(options);
  }

  /** Options with one of {@link #REQUEST}'s values and nothing else. */
  private static KolorsImageOptions only(Method option) throws Exception {
    String name = option.getName().substring(3);
    name = name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
    KolorsImageOptions.Builder builder = KolorsImageOptions.builder();
    Class<?> type = option.getReturnType();
    KolorsImageOptions.Builder.class.getMethod(name, type).invoke(builder, value(option, REQUEST));
    return builder.build();
  }

  @ParameterizedTest
  @MethodSource("options")
  void anOptionOfTheRequestGoesBeforeTheDefaultAndTouchesNoOther(Method option) throws Exception {
    KolorsImageOptions merged = DEFAULTS.mergedWith(only(option));
    for (Method each : options()) {
      boolean dependent =
          option.getName().equals("getScheduler") && each.getName().equals("getSchedulerOptions");
      if (each.equals(option)) {
        assertEquals(value(each, REQUEST), value(each, merged), each.getName());
      } else if (!dependent) {
        assertEquals(value(each, DEFAULTS), value(each, merged), each.getName());
      }
    }
  }

  @Test
  void anotherSchedulerDoesNotGetTheOptionsOfTheDefaultOne() {
    KolorsImageOptions request = KolorsImageOptions.builder().scheduler("ddim").build();
    assertNull(DEFAULTS.mergedWith(request).getSchedulerOptions());
  }

  @Test
  void theSameSchedulerKeepsTheOptionsOfTheDefaultOne() {
    KolorsImageOptions request = KolorsImageOptions.builder().scheduler("euler").build();
    assertEquals(
        Map.of("use_karras_sigmas", true), DEFAULTS.mergedWith(request).getSchedulerOptions());
  }

  @Test
  void aRequestWithoutOptionsHasTheDefaults() {
    assertSame(DEFAULTS, DEFAULTS.mergedWith(null));
    assertEquals(DEFAULTS, DEFAULTS.mergedWith(KolorsImageOptions.builder().build()));
    assertEquals(DEFAULTS, DEFAULTS.mergedWith(ImageOptionsBuilder.builder().build()));
  }

  @Test
  void theSizeOfPortableOptionsGoesBeforeTheDefaultOne() {
    KolorsImageOptions merged =
        DEFAULTS.mergedWith(ImageOptionsBuilder.builder().width(512).height(256).n(3).build());
    assertEquals(512, merged.getWidth());
    assertEquals(256, merged.getHeight());
    assertEquals(3, merged.getN());
  }

  @Test
  void portableOptionsKeepWhatTheyHaveNoWordsFor() {
    KolorsImageOptions merged = DEFAULTS.mergedWith(ImageOptionsBuilder.builder().width(8).build());
    assertEquals(DEFAULTS.toBuilder().width(8).build(), merged);
  }

  @Test
  void optionsOfAnotherProviderCountByTheirPortablePart() {
    ImageOptions other =
        new ImageOptions() {
          @Override
          public Integer getN() {
            return 4;
          }

          @Override
          public String getModel() {
            return null;
          }

          @Override
          public Integer getWidth() {
            return null;
          }

          @Override
          public Integer getHeight() {
            return 32;
          }

          @Override
          public String getResponseFormat() {
            return "B64_JSON";
          }

          @Override
          public String getStyle() {
            return null;
          }
        };
    assertEquals(DEFAULTS.toBuilder().n(4).height(32).build(), DEFAULTS.mergedWith(other));
  }

  static Stream<ImageOptions> whatKolorsHasNot() {
    return Stream.of(
        ImageOptionsBuilder.builder().responseFormat("url").build(),
        ImageOptionsBuilder.builder().style("vivid").build());
  }

  @ParameterizedTest
  @MethodSource("whatKolorsHasNot")
  void whatKolorsHasNotIsRefused(ImageOptions options) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DEFAULTS.mergedWith(options));
    assertTrue(e.getMessage().startsWith("[spring-ai] "), e.getMessage());
  }

  @Test
  void aBuilderOfOptionsGivesEqualOnes() {
    assertEquals(REQUEST, REQUEST.toBuilder().build());
    assertEquals(REQUEST.hashCode(), REQUEST.toBuilder().build().hashCode());
  }

  @Test
  void theTextOfOptionsHasThoseThatAreSaidAlone() {
    assertEquals(
        "KolorsImageOptions[width=64, seed=7]",
        KolorsImageOptions.builder().seed(7).width(64).build().toString());
  }

  @Test
  void theOptionsOfASchedulerCannotBeChangedLater() {
    assertThrows(
        UnsupportedOperationException.class,
        () -> REQUEST.getSchedulerOptions().put("clip_sample", true));
  }
}
