package io.github.kolors4j.unet;

import io.github.kolors4j.tensor.Tensor;

/** What the queries of an attention look at: {@code key} and {@code value [n, s, heads·dHead]}. */
record KeyValue(Tensor key, Tensor value) {}
