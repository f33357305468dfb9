/** Reading and writing of safetensors files and of checkpoints that consist of several. */
package io.github.kolors4j.safetensors;
