/**
 * A look inside a model: what each of its blocks gives, as files to compare with diffusers'. Knows
 * no model.
 */
@NullMarked
package io.github.kolors4j.tap;

import org.jspecify.annotations.NullMarked;
