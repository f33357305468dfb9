/**
 * What is asked of a pipeline and what it gives back: the request, who watches it run, and the
 * result. Values that know neither models nor files.
 */
@NullMarked
package io.github.kolors4j.request;

import org.jspecify.annotations.NullMarked;
