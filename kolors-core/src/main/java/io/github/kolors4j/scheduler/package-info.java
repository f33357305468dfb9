/**
 * Schedulers: which noise levels a picture passes through, and the solvers that take it from one to
 * the next.
 *
 * <p>Three things follow each other. A {@link io.github.kolors4j.scheduler.Scheduler} is a
 * configuration, immutable and shared. Asked for a number of steps it gives a {@link
 * io.github.kolors4j.scheduler.Schedule}, the tables of timesteps and sigmas, immutable too. That
 * starts a {@link io.github.kolors4j.scheduler.Schedule.Run} for each image, which holds what a
 * solver remembers from step to step. Names, options and numbers are those of diffusers.
 *
 * <p>Own schedulers need no registration: implement {@code Scheduler}, {@code Schedule} and {@code
 * Run}, and give the first to the pipeline. The example {@code OwnScheduler} shows all of it.
 */
@NullMarked
package io.github.kolors4j.scheduler;

import org.jspecify.annotations.NullMarked;
