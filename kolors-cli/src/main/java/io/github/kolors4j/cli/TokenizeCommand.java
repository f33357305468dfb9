package io.github.kolors4j.cli;

import io.github.kolors4j.safetensors.json.JsonWriter;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** From a text to its tokens. */
@Command(name = "tokenize", description = "Shows how the model reads a text.", sortOptions = false)
final class TokenizeCommand implements Callable<Integer> {
  private static final int MAX_LENGTH = 256;

  private final Terminal terminal;
  private final Interruption interruption;

  @Parameters(paramLabel = "TEXT", description = "The text; may be empty.")
  private String text;

  @Mixin private CommonOptions.ModelOption model;

  @Option(
      names = "--json",
      description = "Ids, attention mask and position ids with their padding, as JSON.")
  private boolean json;

  @Mixin private CommonOptions common;

  TokenizeCommand(Terminal terminal, Interruption interruption) {
    this.terminal = terminal;
    this.interruption = interruption;
  }

  @Override
  public Integer call() throws IOException {
    ChatGlmTokenizer tokenizer =
        ChatGlmTokenizer.load(model.directory(terminal, interruption).resolve("tokenizer"));
    TokenizedPrompt tokens = tokenizer.encode(text, MAX_LENGTH);
    int[] ids = tokens.inputIds();
    int[] mask = tokens.attentionMask();
    int[] positions = tokens.positionIds();
    if (tokens.truncated()) {
      terminal.warn(
          "[prompt] longer than %d tokens: \"%s\" is lost.".formatted(MAX_LENGTH, tokens.lost()));
    }
    if (json) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("inputIds", list(ids));
      object.put("attentionMask", list(mask));
      object.put("positionIds", list(positions));
      terminal.out().println(JsonWriter.compact(object));
      return KolorsCommand.OK;
    }
    for (int i = 0; i < ids.length; i++) {
      if (mask[i] == 1) {
        terminal.out().printf("%3d %6d  %s%n", positions[i], ids[i], tokenizer.token(ids[i]));
      }
    }
    return KolorsCommand.OK;
  }

  private static List<Integer> list(int[] values) {
    return Arrays.stream(values).boxed().toList();
  }
}
