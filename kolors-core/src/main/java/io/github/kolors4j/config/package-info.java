/** Reading of a checkpoint's JSON configurations. */
package io.github.kolors4j.config;
