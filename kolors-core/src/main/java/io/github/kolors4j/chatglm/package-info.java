/** The text encoder; ChatGLM3 as diffusers' Kolors pipelines have it. */
@NullMarked
package io.github.kolors4j.chatglm;

import org.jspecify.annotations.NullMarked;
