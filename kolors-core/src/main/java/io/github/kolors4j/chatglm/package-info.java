/** The text encoder; ChatGLM3 as diffusers' Kolors pipelines have it. */
package io.github.kolors4j.chatglm;
