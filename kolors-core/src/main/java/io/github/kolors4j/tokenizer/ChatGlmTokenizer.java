package io.github.kolors4j.tokenizer;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.NewDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * ChatGLM's tokenizer, which turns a prompt into the ids that Kolors' text encoder knows; diffusers
 * {@code ChatGLMTokenizer}.
 *
 * <p>The vocabulary is that of a SentencePiece model followed by ChatGLM's special tokens. Ids,
 * masks and positions are those that {@code tokenizer(text, padding="max_length",
 * max_length=maxLength, truncation=True)} gives in Python.
 *
 * <p>Immutable, and safe to use from several threads at once.
 */
public final class ChatGlmTokenizer {
  private static final List<String> ROLES =
      List.of("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>");

  /** In the order of their ids, which follow those of the pieces. */
  private static final List<String> SPECIAL_TOKENS =
      Stream.concat(Stream.of("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop"), ROLES.stream())
          .toList();

  /** What a tokenizer's folder may have; Kolors publishes the model under two names. */
  private static final List<String> FILES =
      List.of(
          "tokenizer.model",
          "vocab.txt",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json");

  private static final Pattern ROLE =
      Pattern.compile(ROLES.stream().map(Pattern::quote).collect(Collectors.joining("|")));

  private final Path directory;
  private final SentencePieceModel model;
  private final TokenizerConfig config;
  private final BytePairEncoder encoder;
  private final PieceDecoder decoder;
  private final int[] prefix;

  private ChatGlmTokenizer(Path directory, SentencePieceModel model, TokenizerConfig config) {
    this.directory = directory;
    this.model = model;
    this.config = config;
    encoder = new BytePairEncoder(model, this::idOrUnknown);
    decoder = new PieceDecoder(model);
    prefix = new int[] {specialId("[gMASK]"), specialId("sop")};
  }

  /**
   * Reads a tokenizer.
   *
   * @param tokenizerDirectory a checkpoint's directory with {@code tokenizer.model} and, where
   *     present, {@code tokenizer_config.json}
   * @return the tokenizer
   * @throws InvalidFileException if a file is missing or broken or asks for what is not supported;
   *     the message names the file and the key
   * @throws IOException if a file cannot be read
   */
  public static ChatGlmTokenizer load(Path tokenizerDirectory) throws IOException {
    if (!Files.isDirectory(tokenizerDirectory)) {
      throw new InvalidFileException("[tokenizer] " + tokenizerDirectory + ": no such directory");
    }
    TokenizerConfig config = TokenizerConfig.load(tokenizerDirectory);
    Path file = tokenizerDirectory.resolve("tokenizer.model");
    return new ChatGlmTokenizer(tokenizerDirectory, SentencePieceModel.load(file), config);
  }

  /**
   * Saves the tokenizer: copies the files that it was read from.
   *
   * @param directory the folder to be; it must not exist, or be empty
   * @throws IOException if the folder has files, or a file cannot be copied, as when the one that
   *     the tokenizer was read from is gone; nothing is left then
   */
  public void savePretrained(Path directory) throws IOException {
    if (!Files.exists(this.directory.resolve(FILES.getFirst()))) {
      throw new InvalidFileException(
          "[save] %s is gone, of which the tokenizer was read: load it from where it is now."
              .formatted(this.directory.resolve(FILES.getFirst())));
    }
    try (var target = NewDirectory.create("save", directory, 0, "")) {
      for (String name : FILES) {
        Path file = this.directory.resolve(name);
        if (Files.exists(file)) {
          target.copy(file);
        }
      }
      target.complete();
    }
  }

  /**
   * Tokenizes a prompt: {@code [gMASK] sop}, then the text, cut on the right and padded on the left
   * to a length.
   *
   * <p>The two tokens of the prefix are never cut. So at a length of 1 or 2 nothing of the text is
   * left, and at a length of 1 the result has 2 tokens, as in Python.
   *
   * <p>The spelling of a special token inside a text, {@code "[gMASK]"} say, is text like any
   * other. Only if {@code tokenizer_config.json} sets {@code encode_special_tokens} do the role
   * tokens ({@code <|user|>} and its like) stand for themselves. An unpaired surrogate, which
   * Python refuses, is taken as U+FFFD.
   *
   * @param text the prompt, which may be empty
   * @param maxLength how many tokens there shall be; Kolors' is 256
   * @return ids, mask and positions, and what was lost
   * @throws IllegalArgumentException if the length is below 1
   */
  public TokenizedPrompt encode(String text, int maxLength) {
    if (maxLength < 1) {
      throw new IllegalArgumentException(
          "[tokenizer] maxLength " + maxLength + ": at least 1 is needed");
    }
    int[] content = contentIds(text);
    int length = Math.max(maxLength, prefix.length);
    int kept = Math.min(content.length, length - prefix.length);
    int used = prefix.length + kept;
    int padding = length - used;

    int[] inputIds = new int[length];
    Arrays.fill(inputIds, 0, padding, model.unknownId());
    System.arraycopy(prefix, 0, inputIds, padding, prefix.length);
    System.arraycopy(content, 0, inputIds, padding + prefix.length, kept);
    int[] attentionMask = new int[length];
    Arrays.fill(attentionMask, padding, length, 1);
    int[] positionIds = new int[length];
    Arrays.setAll(positionIds, i -> Math.max(0, i - padding));

    int[] lost = Arrays.copyOfRange(content, kept, content.length);
    return new TokenizedPrompt(inputIds, attentionMask, positionIds, lost.length, decode(lost));
  }

  /**
   * The ids of a text alone: no prefix, no padding, nothing cut.
   *
   * @param text any text
   * @return its ids, none for the empty text
   */
  public int[] contentIds(String text) {
    Objects.requireNonNull(text, "text");
    if (!config.encodeSpecialTokens()) {
      return encoder.encode(text);
    }
    IntStream.Builder ids = IntStream.builder();
    Matcher role = ROLE.matcher(text);
    int last = 0;
    while (role.find()) {
      Arrays.stream(encoder.encode(text.substring(last, role.start()))).forEach(ids);
      ids.add(specialId(role.group()));
      last = role.end();
    }
    Arrays.stream(encoder.encode(text.substring(last))).forEach(ids);
    return ids.build().toArray();
  }

  /**
   * The text of ids. Special tokens show as they are spelled, padding and the marks for unknown,
   * begin and end vanish, and bytes that make no character become one U+FFFD each.
   *
   * <p>This is what Python gives with {@code skip_special_tokens} and without: to transformers none
   * of ChatGLM's tokens is a special one.
   *
   * @param ids token ids
   * @return the text
   * @throws IllegalArgumentException if an id is not in the vocabulary
   */
  public String decode(int[] ids) {
    List<String> pieces = new ArrayList<>(ids.length);
    for (int id : ids) {
      String token = token(id);
      pieces.add(id < model.size() && model.isMark(id) ? "" : token);
    }
    return decoder.decode(pieces);
  }

  /**
   * The number of tokens: pieces and special tokens.
   *
   * @return the number; ids are below
   */
  public int vocabularySize() {
    return model.size() + SPECIAL_TOKENS.size();
  }

  /**
   * What tells this tokenizer from others: a SHA-256 over its tokens in the order of their ids, and
   * over whether a text's role tokens stand for themselves.
   *
   * @return 64 hexadecimal digits
   */
  public String identity() {
    Identity identity = new Identity().add("special tokens " + config.encodeSpecialTokens());
    for (int id = 0; id < vocabularySize(); id++) {
      identity.add(token(id));
    }
    return identity.digits();
  }

  /**
   * A token's spelling, in which U+2581 stands for a space and {@code <0x0A>} for a byte.
   *
   * @param id the token's id
   * @return its spelling
   * @throws IllegalArgumentException if the id is not in the vocabulary
   */
  public String token(int id) {
    if (id < 0 || id >= vocabularySize()) {
      throw new IllegalArgumentException(
          "[tokenizer] id " + id + " is not in the vocabulary of " + vocabularySize() + " tokens");
    }
    return id < model.size() ? model.piece(id) : SPECIAL_TOKENS.get(id - model.size());
  }

  /**
   * The id of a token.
   *
   * @param token its spelling, as {@link #token} gives it
   * @return its id, nothing if there is no such token
   */
  public OptionalInt id(String token) {
    int special = SPECIAL_TOKENS.indexOf(token);
    return special >= 0 ? OptionalInt.of(model.size() + special) : model.find(token);
  }

  private int idOrUnknown(String token) {
    return id(token).orElse(model.unknownId());
  }

  private int specialId(String token) {
    return model.size() + SPECIAL_TOKENS.indexOf(token);
  }
}
