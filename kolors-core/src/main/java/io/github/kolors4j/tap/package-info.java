/**
 * A look inside a model: what each of its blocks gives, as files to compare with diffusers'. Knows
 * no model.
 */
package io.github.kolors4j.tap;
