package io.github.kolors4j.scheduler;

import org.jspecify.annotations.Nullable;

/**
 * One option of a class of schedulers.
 *
 * @param key its name in {@code scheduler_config.json} and in diffusers
 * @param defaultValue what counts where nobody sets it, as {@link SchedulerConfig#get} gives it;
 *     may be null
 * @param values which values it takes, as {@code 0 to 1}
 * @param meaning what it says, as {@code the part of the noise that is added again}
 */
public record SchedulerOption(
    String key, @Nullable Object defaultValue, String values, String meaning) {}
