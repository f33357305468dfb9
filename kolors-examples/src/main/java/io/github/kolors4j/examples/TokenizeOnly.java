package io.github.kolors4j.examples;

import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.tokenizer.ChatGlmTokenizer;
import io.github.kolors4j.tokenizer.TokenizedPrompt;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Shows how the model reads a prompt, without loading a model. */
public final class TokenizeOnly {
  private static final int MAX_LENGTH = 256;

  private TokenizeOnly() {}

  /**
   * Prints id and text of each token.
   *
   * @param args the prompt; then the checkpoint's folder, without which it is the shipped one
   * @throws IOException if the tokenizer cannot be read
   */
  public static void main(String[] args) throws IOException {
    String prompt = args.length > 0 ? args[0] : "一只瓢虫,蓝色背景";
    Path model = args.length > 1 ? Path.of(args[1]) : MiniCheckpoint.directory();
    ChatGlmTokenizer tokenizer = ChatGlmTokenizer.load(model.resolve("tokenizer"));
    TokenizedPrompt tokens = tokenizer.encode(prompt, MAX_LENGTH);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (int i = 0; i < MAX_LENGTH; i++) {
      if (tokens.attentionMask()[i] == 1) {
        int id = tokens.inputIds()[i];
        out.println(id + "\t" + tokenizer.token(id));
      }
    }
  }
}
