/** An HTTP server over a pipeline: OpenAI's Images API, that of AUTOMATIC1111, jobs, and a page. */
@NullMarked
package io.github.kolors4j.server;

import org.jspecify.annotations.NullMarked;
