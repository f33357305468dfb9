package io.github.kolors4j.chatglm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.kolors4j.checkpoint.Fixture;
import io.github.kolors4j.tensor.ThreadPool;
import io.github.kolors4j.tensor.Workspace;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatGlmModelTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "multi_query",
        "multi_head",
        "no_biases",
        "not_padded",
        "all_biases_layer_norm",
        "residual_after_norm",
        "heads_of_16",
        "heads_of_128"
      })
  void encodesAsDiffusersDoes(String name) throws IOException {
    try (Fixture fixture = Fixture.open("chatglm/" + name);
        ThreadPool threads = new ThreadPool(2);
        Workspace workspace = new Workspace(threads)) {
      ChatGlmModel model = ChatGlmModel.of(ChatGlmConfig.of(fixture.config()), fixture.source());
      PromptEmbedding embedding =
          model.encode(
              workspace,
              fixture.integerRows("input.input_ids"),
              fixture.integerRows("input.attention_mask"),
              fixture.integerRows("input.position_ids"));
      fixture.assertClose("output.prompt_embeds", embedding.hiddenStates());
      fixture.assertClose("output.pooled", embedding.pooled());
    }
  }

  @Test
  void refusesTokensThatDoNotFit() throws IOException {
    try (Fixture fixture = Fixture.open("chatglm/multi_query");
        ThreadPool threads = new ThreadPool(1);
        Workspace workspace = new Workspace(threads)) {
      ChatGlmModel model = ChatGlmModel.of(ChatGlmConfig.of(fixture.config()), fixture.source());
      int[][] one = {{1, 1}};
      assertRefused(
          "[text_encoder] inputIds have the value 97: 0 to 96 are possible.",
          () -> model.encode(workspace, new int[][] {{1, 97}}, one, one));
      assertRefused(
          "[text_encoder] attentionMask have a row of 3 values: all need 2.",
          () -> model.encode(workspace, one, new int[][] {{1, 1, 1}}, one));
      assertRefused(
          "[text_encoder] positionIds have 2 rows: 1, one a prompt, are needed.",
          () -> model.encode(workspace, one, one, new int[][] {{0, 1}, {0, 1}}));
      assertRefused(
          "[text_encoder] positionIds have the value 300: 0 to 299 are possible.",
          () -> model.encode(workspace, one, one, new int[][] {{0, 300}}));
      assertRefused(
          "[text_encoder] inputIds are empty: one prompt of one token is the least.",
          () -> model.encode(workspace, new int[0][], one, one));
    }
  }

  private static void assertRefused(String message, Runnable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }
}
