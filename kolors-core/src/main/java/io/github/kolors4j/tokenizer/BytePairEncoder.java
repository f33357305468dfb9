package io.github.kolors4j.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * From text to ids by byte-pair encoding, step by step as SentencePiece does it: spaces are
 * rewritten, the text is split into characters and user-defined symbols, and neighbours that
 * together spell a piece are merged, the best score first and the leftmost of equals.
 *
 * <p>A text of n characters takes O(n log n). Immutable.
 *
 * <p>See <a href="https://arxiv.org/abs/1508.07909">Neural Machine Translation of Rare Words with
 * Subword Units</a>, Sennrich, Haddow and Birch, 2016.
 */
final class BytePairEncoder {
  private final SentencePieceModel model;
  private final ToIntFunction<String> vocabulary;

  /** What the vocabulary makes of each piece of the model. */
  private final int[] ids;

  /**
   * An encoder.
   *
   * @param model the pieces
   * @param vocabulary the ids that pieces go by outside, where some may be taken by other tokens of
   *     the same spelling
   */
  BytePairEncoder(SentencePieceModel model, ToIntFunction<String> vocabulary) {
    this.model = model;
    this.vocabulary = vocabulary;
    ids =
        IntStream.range(0, model.size())
            .map(id -> vocabulary.applyAsInt(model.piece(id)))
            .toArray();
  }

  /**
   * Encodes a text. Unpaired surrogates, which no UTF-8 can hold, are taken as U+FFFD.
   *
   * @return its ids, none for the empty text
   */
  int[] encode(String text) {
    String normalized = normalize(wellFormed(text));
    if (normalized.isEmpty()) {
      return new int[0];
    }
    return new Run(normalized).encode();
  }

  private static String wellFormed(String text) {
    if (text.codePoints().noneMatch(BytePairEncoder::isSurrogate)) {
      return text;
    }
    StringBuilder repaired = new StringBuilder(text.length());
    text.codePoints().map(c -> isSurrogate(c) ? 0xFFFD : c).forEach(repaired::appendCodePoint);
    return repaired.toString();
  }

  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }

  /** Applies the model's rules for spaces; nothing else is changed by the identity normalizer. */
  private String normalize(String text) {
    if (text.isEmpty()) {
      return "";
    }
    char space = model.escapeWhitespaces() ? SentencePieceModel.SPACE_SYMBOL : ' ';
    String body = text;
    if (model.removeExtraWhitespaces()) {
      body = collapseSpaces(text);
      if (body.isEmpty()) {
        return "";
      }
    }
    String normalized = (model.addDummyPrefix() ? space : "") + body.replace(' ', space);
    if (model.removeExtraWhitespaces()) {
      int end = normalized.length();
      while (end > 0 && normalized.charAt(end - 1) == space) {
        end--;
      }
      return normalized.substring(0, end);
    }
    return normalized;
  }

  /** Drops leading spaces and those that follow a space, but none inside a user-defined symbol. */
  private String collapseSpaces(String text) {
    StringBuilder collapsed = new StringBuilder(text.length());
    boolean afterSpace = true;
    for (int at = 0, end; at < text.length(); at = end) {
      end = endOfSymbol(text, at);
      int from = at;
      while (afterSpace && from < end && text.charAt(from) == ' ') {
        from++;
      }
      if (from < end) {
        collapsed.append(text, from, end);
        afterSpace = text.charAt(end - 1) == ' ';
      }
    }
    return collapsed.toString();
  }

  /** The end of the user-defined symbol, or of the character, that begins at a place. */
  private int endOfSymbol(String text, int at) {
    int length = model.matchUserDefined(text, at);
    return at + (length > 0 ? length : Character.charCount(text.codePointAt(at)));
  }

  /**
   * The merging of one text.
   *
   * <p>Symbol {@code i} covers the text from {@code start[i]} to {@code start[next[i]]}. A merge
   * gives a symbol the text of its right neighbour, which is then skipped by the links.
   */
  private final class Run {
    private static final int NONE = -1;

    private final String text;
    private final int count;
    private final int[] start;
    private final int[] next;
    private final int[] previous;

    /** The rank of the piece that a symbol and its right neighbour spell, or {@link #NONE}. */
    private final int[] rank;

    /** Symbols that never merge. */
    private final BitSet frozen = new BitSet();

    /** Merges to come: rank in the upper half, left symbol in the lower. Some are out of date. */
    private final LongHeap agenda;

    /** For an unused piece, the length of the left one of the two that spelled it last. */
    private final Map<Integer, Integer> splits = new HashMap<>();

    private final IntStream.Builder output = IntStream.builder();
    private final StringBuilder unknown = new StringBuilder();

    Run(String text) {
      this.text = text;
      int[] boundaries = new int[text.length() + 1];
      int symbols = 0;
      for (int at = 0, end; at < text.length(); at = end) {
        end = endOfSymbol(text, at);
        frozen.set(symbols, model.matchUserDefined(text, at) > 0);
        boundaries[++symbols] = end;
      }
      count = symbols;
      start = Arrays.copyOf(boundaries, count + 1);
      next = IntStream.rangeClosed(1, count).toArray();
      previous = IntStream.range(-1, count - 1).toArray();
      rank = new int[count];
      agenda = new LongHeap(count);
    }

    int[] encode() {
      for (int left = 0; left < count; left++) {
        propose(left);
      }
      while (!agenda.isEmpty()) {
        long top = agenda.removeSmallest();
        int left = (int) top;
        if (rank[left] == top >>> 32) {
          merge(left);
        }
      }
      for (int symbol = 0; symbol < count; symbol = next[symbol]) {
        emit(start[symbol], start[next[symbol]]);
      }
      emitUnknown();
      return output.build().toArray();
    }

    /** Puts the merge of a symbol with its right neighbour on the agenda if it spells a piece. */
    private void propose(int left) {
      rank[left] = NONE;
      int right = next[left];
      if (right == count || frozen.get(left) || frozen.get(right)) {
        return;
      }
      int from = start[left];
      int to = start[next[right]];
      if (to - from > model.longestText()) {
        return;
      }
      Integer id = model.textId(text.substring(from, to));
      if (id == null) {
        return;
      }
      rank[left] = model.rank(id);
      agenda.add((long) rank[left] << 32 | left);
      if (model.isUnused(id)) {
        splits.put(id, start[right] - from);
      }
    }

    private void merge(int left) {
      int right = next[left];
      rank[right] = NONE;
      next[left] = next[right];
      if (next[left] < count) {
        previous[next[left]] = left;
      }
      if (previous[left] >= 0) {
        propose(previous[left]);
      }
      propose(left);
    }

    /** Puts out the piece of a symbol; an unused one is taken apart again. */
    private void emit(int from, int to) {
      String piece = text.substring(from, to);
      int id = model.idOf(piece);
      if (splits.isEmpty() || !splits.containsKey(id)) {
        emit(piece, id);
        return;
      }
      Deque<String> parts = new ArrayDeque<>();
      parts.push(piece);
      while (!parts.isEmpty()) {
        String part = parts.pop();
        int partId = model.idOf(part);
        Integer split = model.isUnused(partId) ? splits.get(partId) : null;
        if (split == null) {
          emit(part, partId);
        } else {
          parts.push(part.substring(split));
          parts.push(part.substring(0, split));
        }
      }
    }

    private void emit(String piece, int id) {
      if (id != model.unknownId()) {
        emitUnknown();
        output.add(ids[id]);
      } else if (model.byteFallback()) {
        for (byte value : piece.getBytes(StandardCharsets.UTF_8)) {
          output.add(ids[model.byteId(value)]);
        }
      } else {
        unknown.append(piece);
      }
    }

    /** Neighbouring unknown characters are one token, and that may be one that has an id. */
    private void emitUnknown() {
      if (!unknown.isEmpty()) {
        output.add(vocabulary.applyAsInt(unknown.toString()));
        unknown.setLength(0);
      }
    }
  }
}
