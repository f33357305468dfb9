package io.github.kolors4j.tokenizer;

import io.github.kolors4j.safetensors.GitLfsPointer;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.ForeignText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a SentencePiece model file says: the pieces with their types and ranks, and the flags that
 * steer encoding and decoding.
 *
 * <p>Only byte-pair models without character normalization are read; whatever else a file asks for
 * is refused by name. Immutable.
 *
 * <p>See <a href="https://arxiv.org/abs/1808.06226">SentencePiece</a>, Kudo and Richardson, 2018.
 */
final class SentencePieceModel {
  /** What SentencePiece writes for a space. */
  static final char SPACE_SYMBOL = '\u2581';

  /** Kolors' file has 1 MB; the largest published vocabularies have about 5 MB. */
  private static final long LARGEST_FILE = 64L << 20;

  /** The types of pieces, in the order of their numbers in the file, which begin at 1. */
  enum PieceType {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE;

    /** Whether text can spell a piece of this type. */
    boolean isText() {
      return this == NORMAL || this == USER_DEFINED || this == UNUSED;
    }
  }

  /** One entry of the vocabulary; its id is its place. */
  private record Piece(String text, float score, PieceType type) {}

  private final Path file;
  private final List<Piece> pieces = new ArrayList<>();

  /** Pieces that text can spell. */
  private final Map<String, Integer> textIds = new HashMap<>();

  /** Unknown, control and byte pieces; a name found here wins over one in {@link #textIds}. */
  private final Map<String, Integer> reservedIds = new HashMap<>();

  private final int[] byteIds = new int[256];
  private final Map<Integer, List<String>> userDefined = new HashMap<>();
  private int[] ranks = new int[0];
  private int longestText;
  private boolean anyUnused;
  private int unknownId = -1;

  private boolean hasTrainerSpec;
  private boolean hasNormalizerSpec;

  // The defaults are those of SentencePiece's schema.
  private int modelType = 1;
  private boolean byteFallback = false;
  private boolean whitespaceAsSuffix = false;
  private String unknownPiece = "<unk>";
  private String bosPiece = "<s>";
  private String eosPiece = "</s>";
  private String normalizer = "";
  private boolean charsMap = false;
  private boolean denormalizerCharsMap = false;
  private boolean addDummyPrefix = true;
  private boolean removeExtraWhitespaces = true;
  private boolean escapeWhitespaces = true;

  private SentencePieceModel(Path file) {
    this.file = file;
  }

  /**
   * Reads and checks a model.
   *
   * @throws InvalidFileException if the file is missing, broken or of a kind that is not supported
   */
  static SentencePieceModel load(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new InvalidFileException(
          "[tokenizer] "
              + file
              + ": no such file. A checkpoint's tokenizer directory has a tokenizer.model.");
    }
    long length = Files.size(file);
    if (length > LARGEST_FILE) {
      throw new InvalidFileException(
          "[tokenizer] "
              + file
              + ": not a SentencePiece model: it has "
              + length
              + " bytes, and at most "
              + LARGEST_FILE
              + " are read.");
    }
    return parse(file, Files.readAllBytes(file));
  }

  /** Reads a model from the content of a file; the file's name is for messages. */
  static SentencePieceModel parse(Path file, byte[] content) throws InvalidFileException {
    if (GitLfsPointer.matches(content)) {
      throw new InvalidFileException("[tokenizer] " + file + ": " + GitLfsPointer.FAULT);
    }
    SentencePieceModel model = new SentencePieceModel(file);
    model.readModel(new ProtobufReader(file, content));
    model.check(content.length);
    model.index();
    return model;
  }

  /** How many pieces there are; ids are below. */
  int size() {
    return pieces.size();
  }

  String piece(int id) {
    return pieces.get(id).text;
  }

  PieceType type(int id) {
    return pieces.get(id).type;
  }

  /** The id of a piece of any type. */
  OptionalInt find(String piece) {
    Integer id = reservedIds.get(piece);
    if (id == null) {
      id = textIds.get(piece);
    }
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** The id of a piece of any type, of the unknown piece if there is none. */
  int idOf(String piece) {
    return find(piece).orElse(unknownId);
  }

  /** The id of a piece that text can spell, null if there is none. */
  @Nullable Integer textId(String piece) {
    return textIds.get(piece);
  }

  /** The place of a piece's score among all scores, 0 for the best; equal scores share a rank. */
  int rank(int id) {
    return ranks[id];
  }

  /** The length, in UTF-16 units, of the longest piece that text can spell. */
  int longestText() {
    return longestText;
  }

  /** Whether there are pieces that take part in merges but never in results. */
  boolean hasUnusedPieces() {
    return anyUnused;
  }

  boolean isUnused(int id) {
    return type(id) == PieceType.UNUSED;
  }

  /**
   * The length of the longest user-defined symbol that begins at a place of a text, 0 if none does.
   */
  int matchUserDefined(String text, int at) {
    if (userDefined.isEmpty()) {
      return 0;
    }
    for (String symbol : userDefined.getOrDefault(text.codePointAt(at), List.of())) {
      if (text.startsWith(symbol, at)) {
        return symbol.length();
      }
    }
    return 0;
  }

  int unknownId() {
    return unknownId;
  }

  /** Whether an id is one of the begin, end and unknown marks, which stand for no text. */
  boolean isMark(int id) {
    return id == unknownId
        || (type(id) == PieceType.CONTROL && (id == idOf(bosPiece) || id == idOf(eosPiece)));
  }

  /** Whether a character without a piece becomes the pieces of its UTF-8 bytes. */
  boolean byteFallback() {
    return byteFallback;
  }

  /** The id of the piece that stands for one byte, where there is {@link #byteFallback()}. */
  int byteId(byte value) {
    return byteIds[Byte.toUnsignedInt(value)];
  }

  /** The byte that a piece of type {@link PieceType#BYTE} stands for. */
  byte byteValue(int id) {
    return (byte) byteValue(piece(id));
  }

  boolean addDummyPrefix() {
    return addDummyPrefix;
  }

  boolean removeExtraWhitespaces() {
    return removeExtraWhitespaces;
  }

  boolean escapeWhitespaces() {
    return escapeWhitespaces;
  }

  private void readModel(ProtobufReader in) throws InvalidFileException {
    while (in.next()) {
      switch (in.field()) {
        case 1 -> readPiece(in.readMessage());
        case 2 -> readTrainerSpec(in.readMessage());
        case 3 -> readNormalizerSpec(in.readMessage());
        case 5 -> readDenormalizerSpec(in.readMessage());
        default -> {} // self-test data and extensions
      }
    }
  }

  private void readPiece(ProtobufReader in) throws InvalidFileException {
    String text = "";
    float score = 0;
    PieceType type = PieceType.NORMAL;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> text = in.readString();
        case 2 -> score = in.readFloat();
        case 3 -> type = pieceType(in.readInt());
        default -> {}
      }
    }
    if (text.isEmpty()) {
      throw wrong("piece " + pieces.size() + " is empty");
    }
    if (Float.isNaN(score)) {
      throw wrong("the score of piece " + pieces.size() + " (" + quote(text) + ") is NaN");
    }
    add(new Piece(text, score, type));
  }

  private PieceType pieceType(int number) throws InvalidFileException {
    if (number < 1 || number > PieceType.values().length) {
      throw wrong("piece " + pieces.size() + " has type " + number + "; only 1 to 6 are known");
    }
    return PieceType.values()[number - 1];
  }

  private void add(Piece piece) throws InvalidFileException {
    int id = pieces.size();
    pieces.add(piece);
    boolean isText = piece.type.isText();
    if ((isText ? textIds : reservedIds).putIfAbsent(piece.text, id) != null) {
      throw wrong("piece " + quote(piece.text) + " is there twice");
    }
    if (isText) {
      longestText = Math.max(longestText, piece.text.length());
    }
    switch (piece.type) {
      case NORMAL, CONTROL -> {}
      case UNUSED -> anyUnused = true;
      case USER_DEFINED ->
          userDefined
              .computeIfAbsent(piece.text.codePointAt(0), _ -> new ArrayList<>())
              .add(piece.text);
      case UNKNOWN -> {
        if (unknownId >= 0) {
          throw wrong("pieces " + unknownId + " and " + id + " are both of type unknown");
        }
        unknownId = id;
      }
      case BYTE -> {
        if (byteValue(piece.text) < 0) {
          throw wrong("byte piece " + quote(piece.text) + " is not of the form <0xNN>");
        }
      }
    }
  }

  private void readTrainerSpec(ProtobufReader in) throws InvalidFileException {
    hasTrainerSpec = true;
    while (in.next()) {
      switch (in.field()) {
        case 3 -> modelType = in.readInt();
        case 24 -> whitespaceAsSuffix = in.readBoolean();
        case 35 -> byteFallback = in.readBoolean();
        case 45 -> unknownPiece = in.readString();
        case 46 -> bosPiece = in.readString();
        case 47 -> eosPiece = in.readString();
        default -> {} // how it was trained
      }
    }
  }

  private void readNormalizerSpec(ProtobufReader in) throws InvalidFileException {
    hasNormalizerSpec = true;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> normalizer = in.readString();
        case 2 -> charsMap = in.readLength() > 0;
        case 3 -> addDummyPrefix = in.readBoolean();
        case 4 -> removeExtraWhitespaces = in.readBoolean();
        case 5 -> escapeWhitespaces = in.readBoolean();
        default -> {} // the rules before they were compiled
      }
    }
  }

  private void readDenormalizerSpec(ProtobufReader in) throws InvalidFileException {
    while (in.next()) {
      if (in.field() == 2) {
        denormalizerCharsMap = in.readLength() > 0;
      }
    }
  }

  private void check(int length) throws InvalidFileException {
    if (length == 0) {
      throw wrong("the file is empty; a SentencePiece model is expected. Incomplete download?");
    }
    if (pieces.isEmpty()) {
      throw wrong("not a SentencePiece model: it has no pieces");
    }
    // A file cut between two fields still parses, and the defaults would hide that.
    if (!hasTrainerSpec || !hasNormalizerSpec) {
      throw wrong(
          "it has pieces, but no "
              + (hasTrainerSpec ? "normalizer_spec" : "trainer_spec")
              + ", which says how to use them. Incomplete download?");
    }
    if (modelType != 2) {
      String name =
          switch (modelType) {
            case 1 -> "UNIGRAM";
            case 3 -> "WORD";
            case 4 -> "CHAR";
            default -> Integer.toString(modelType);
          };
      throw wrong("model_type is " + name + "; only BPE is supported");
    }
    if (charsMap) {
      throw wrong(
          "normalizer "
              + quote(normalizer)
              + " has a precompiled_charsmap; only the identity normalizer is supported");
    }
    if (!normalizer.isEmpty() && !normalizer.equals("identity")) {
      throw wrong("normalizer is " + quote(normalizer) + "; only \"identity\" is supported");
    }
    if (denormalizerCharsMap) {
      throw wrong("denormalizer_spec has a precompiled_charsmap, which is not supported");
    }
    if (whitespaceAsSuffix) {
      throw wrong("treat_whitespace_as_suffix is true; only false is supported");
    }
    if (unknownId < 0) {
      throw wrong("no piece is of type unknown");
    }
    if (idOf(unknownPiece) != unknownId) {
      throw wrong(
          "unk_piece is "
              + quote(unknownPiece)
              + ", but the piece of type unknown is "
              + quote(piece(unknownId)));
    }
  }

  private void index() throws InvalidFileException {
    Arrays.fill(byteIds, -1);
    for (int id = 0; id < size(); id++) {
      if (type(id) == PieceType.BYTE) {
        byteIds[byteValue(piece(id))] = id;
      }
    }
    for (int value = 0; value < byteIds.length; value++) {
      if (byteFallback != byteIds[value] >= 0) {
        throw wrong(
            "byte_fallback is "
                + byteFallback
                + ", but byte piece "
                + bytePiece(value)
                + (byteFallback ? " is missing" : " is there"));
      }
    }
    ranks = ranks();
    Comparator<String> longestFirst = Comparator.comparingInt(String::length);
    userDefined.values().forEach(symbols -> symbols.sort(longestFirst.reversed()));
  }

  private int[] ranks() {
    float[] descending = new float[size()]; // of the negated scores, so that it ascends
    for (int id = 0; id < size(); id++) {
      descending[id] = negatedScore(id);
    }
    Arrays.sort(descending);
    int distinct = 0;
    for (int i = 0; i < descending.length; i++) {
      if (i == 0 || descending[i] != descending[i - 1]) {
        descending[distinct++] = descending[i];
      }
    }
    int[] ranks = new int[size()];
    for (int id = 0; id < ranks.length; id++) {
      ranks[id] = Arrays.binarySearch(descending, 0, distinct, negatedScore(id));
    }
    return ranks;
  }

  /** Never -0, which sorting would put below 0: SentencePiece takes the two as equal. */
  private float negatedScore(int id) {
    return 0f - pieces.get(id).score;
  }

  /** The value of a byte piece such as {@code <0x5B>}, -1 if it is none. */
  private static int byteValue(String piece) {
    if (piece.length() != 6) {
      return -1;
    }
    int value = Character.digit(piece.charAt(3), 16) << 4 | Character.digit(piece.charAt(4), 16);
    return value >= 0 && piece.equals(bytePiece(value)) ? value : -1;
  }

  private static String bytePiece(int value) {
    return "<0x" + HexFormat.of().withUpperCase().toHexDigits((byte) value) + ">";
  }

  private static String quote(String text) {
    return ForeignText.quoted(text, 40);
  }

  private InvalidFileException wrong(String what) {
    return new InvalidFileException("[tokenizer] " + file + ": " + what);
  }
}
