package io.github.kolors4j.tensor.ops;

import io.github.kolors4j.tensor.Products;
import java.util.ArrayList;
import java.util.List;

/**
 * Which pieces of A are multiplied with which of B: pieces i and j where {@code i + j} is below the
 * number of pieces that the precision has. Each piece is some 2⁻⁸ of the one before, so what is
 * left out is as small as what a piece more would add. The smallest products come first, as they
 * would be lost beside the large ones.
 *
 * @param ofA pieces of A
 * @param ofB pieces of B
 * @param pairs in the order in which they are added
 */
record PairsOfPieces(int ofA, int ofB, List<Pair> pairs) {
  /**
   * Two pieces that are multiplied.
   *
   * @param a which of A, from 0
   * @param b which of B, from 0
   */
  record Pair(int a, int b) {}

  /**
   * The pairs of a precision.
   *
   * @param products whose precision
   * @param piecesOfA how many pieces make a value of A
   * @param piecesOfB how many pieces make a value of B
   */
  static PairsOfPieces of(Products products, int piecesOfA, int piecesOfB) {
    int most = products.pieces();
    int ofA = Math.min(piecesOfA, most);
    int ofB = Math.min(piecesOfB, most);
    List<Pair> pairs = new ArrayList<>();
    for (int order = most - 1; order >= 0; order--) {
      for (int i = Math.min(order, ofA - 1); i >= 0; i--) {
        if (order - i < ofB) {
          pairs.add(new Pair(i, order - i));
        }
      }
    }
    return new PairsOfPieces(ofA, ofB, List.copyOf(pairs));
  }

  /** How many products of pieces make one of values. */
  int count() {
    return pairs.size();
  }
}
