/**
 * JSON as the files of a checkpoint have it: headers of safetensors, indexes, configurations.
 *
 * <p>{@link io.github.kolors4j.safetensors.json.JsonReader} reads by the letter of RFC 8259, token
 * by token or whole values; {@link io.github.kolors4j.safetensors.json.JsonWriter} writes as
 * Python's {@code json} module does. Nothing here knows of files: a fault says what is wrong with
 * the text, and whoever read the file puts its name in front.
 */
@NullMarked
package io.github.kolors4j.safetensors.json;

import org.jspecify.annotations.NullMarked;
