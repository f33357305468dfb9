package io.github.kolors4j.request;

/**
 * A prompt that was longer than the model reads.
 *
 * @param prompt the whole prompt, or negative prompt
 * @param lost its end, which had no influence on the picture
 */
public record TruncatedPrompt(String prompt, String lost) {}
