package io.github.kolors4j.run;

import io.github.kolors4j.components.Components;
import io.github.kolors4j.controlnet.ControlNetModel;
import io.github.kolors4j.controlnet.ControlNetScale;
import io.github.kolors4j.image.VaeImageProcessor;
import io.github.kolors4j.request.ControlNetInput;
import io.github.kolors4j.tensor.FloatArray;
import io.github.kolors4j.tensor.Tensor;
import io.github.kolors4j.tensor.Workspace;
import io.github.kolors4j.tensor.ops.Elementwise;
import io.github.kolors4j.unet.AdditionalResiduals;
import io.github.kolors4j.unet.Conditioning;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the ControlNets of a request add to the U-Net, step by step: each sees the latents without
 * further channels, its own picture, and the text by its own projection; the sums go to the U-Net.
 */
final class ControlResiduals {
  private final Timetable timetable;
  private final ResolvedRequest request;
  private final List<Control> controls;
  private List<Prepared> prepared = List.of();

  /** A ControlNet that leads at least one step. */
  private record Control(ControlNetModel model, ControlNetInput input) {}

  /**
   * What is computed once.
   *
   * @param control of which
   * @param rows for each row of the U-Net's batch the row of the ControlNet's, or −1 for none
   * @param conditioning of its rows
   * @param embedded its picture {@code [1, h, w, c0]}
   */
  private record Prepared(
      Control control, List<Integer> rows, Conditioning conditioning, Tensor embedded) {}

  ControlResiduals(Components components, ResolvedRequest request, Timetable timetable) {
    this.timetable = timetable;
    this.request = request;
    controls =
        leading(request, timetable).stream()
            .map(input -> new Control(modelOf(components, input), input))
            .toList();
  }

  static ControlNetModel modelOf(Components components, ControlNetInput input) {
    return components
        .controlNets()
        .model(input.controlNet(), components.unet().config(), components.vae().config());
  }

  /** Those that lead at least one step. */
  static List<ControlNetInput> leading(ResolvedRequest request, Timetable timetable) {
    return request.controlNets().stream()
        .filter(input -> stepsOf(input, request, timetable) > 0)
        .toList();
  }

  /** In how many steps a ControlNet leads a prediction. */
  static int stepsOf(ControlNetInput input, ResolvedRequest request, Timetable timetable) {
    PredictedSteps predicted = timetable.predicted(request.request().predictEvery());
    int steps = 0;
    for (int step = timetable.begin(); step < timetable.end(); step++) {
      steps += predicted.contains(step) && leads(input, timetable, step) ? 1 : 0;
    }
    return steps;
  }

  /** Diffusers' {@code controlnet_keep}. */
  private static boolean leads(ControlNetInput input, Timetable timetable, int step) {
    double steps = timetable.timesteps().length - timetable.begin();
    int i = step - timetable.begin();
    return i / steps >= input.guidanceStart() && (i + 1) / steps <= input.guidanceEnd();
  }

  /**
   * Computes what stays the same in every step.
   *
   * @param workspace of the steps
   * @param batch the rows of the U-Net's batch
   * @param negatives how many of the first are negative
   */
  void prepare(Workspace workspace, List<BatchRow> batch, int negatives) {
    prepared = controls.stream().map(each -> prepare(each, workspace, batch, negatives)).toList();
  }

  private Prepared prepare(
      Control control, Workspace workspace, List<BatchRow> batch, int negatives) {
    int led = control.input.guessMode() ? negatives : 0;
    // A perturbed row is as the one that it is compared with.
    List<BatchRow> own = batch.subList(led, batch.size()).stream().distinct().toList();
    List<Integer> rows = new ArrayList<>();
    for (int row = 0; row < batch.size(); row++) {
      rows.add(row < led ? -1 : own.indexOf(batch.get(row)));
    }
    Conditioning conditioning =
        control.model.prepare(
            batchOf(workspace, own, BatchRow::promptEmbeds), // [n, s, d]
            batchOf(workspace, own, BatchRow::addTextEmbeds), // [n, d]
            own.stream().map(row -> row.addTimeIds().values()).toArray(float[][]::new));
    Tensor embedded = embed(control, workspace);
    return new Prepared(control, rows, conditioning, embedded);
  }

  private Tensor embed(Control control, Workspace workspace) {
    try (var scope = workspace.scope()) {
      Tensor image =
          VaeImageProcessor.preprocessControl(
              workspace, control.input.image(), request.width(), request.height());
      return scope.keep(control.model.embed(image)); // [1, h, w, c0]
    }
  }

  private static Tensor batchOf(
      Workspace workspace, List<BatchRow> rows, Function<BatchRow, FloatArray> part) {
    FloatArray batch = PreparedBatch.stacked(rows, part);
    return workspace.copyOf(batch.values(), batch.shape().dims());
  }

  /**
   * What is added in one step.
   *
   * @param step of the timetable
   * @param latents as the U-Net sees them, without further channels {@code [1, h, w, c]}
   * @return the sums; empty where no ControlNet leads this step
   */
  Optional<AdditionalResiduals> of(int step, Tensor latents) {
    Optional<AdditionalResiduals> sum = Optional.empty();
    try (var scope = latents.workspace().scope()) {
      for (Prepared each : prepared) {
        if (leads(each.control.input, timetable, step)) {
          AdditionalResiduals own = residuals(each, timetable.timesteps()[step], latents);
          sum = Optional.of(sum.map(before -> added(before, own, scope)).orElse(own));
        }
      }
      sum.ifPresent(
          residuals -> {
            residuals.downBlocks().forEach(scope::keep);
            scope.keep(residuals.midBlock());
          });
    }
    return sum;
  }

  private static AdditionalResiduals residuals(Prepared each, float timestep, Tensor latents) {
    ControlNetInput input = each.control.input;
    AdditionalResiduals own =
        each.control.model.forward(
            spread(latents, copies(each.conditioning.batchSize())),
            timestep,
            each.conditioning,
            each.embedded,
            new ControlNetScale(input.conditioningScale(), input.guessMode()));
    return new AdditionalResiduals(
        own.downBlocks().stream().map(residual -> spread(residual, each.rows)).toList(),
        spread(own.midBlock(), each.rows));
  }

  private static List<Integer> copies(int n) {
    return Collections.nCopies(n, 0);
  }

  /** Rows of a batch in another order, some of them more than once; −1 makes one of zeros. */
  private static Tensor spread(Tensor batch, List<Integer> rows) {
    if (rows.equals(inOrder(batch.dim(0)))) {
      return batch;
    }
    int[] dims = batch.shape().dims();
    dims[0] = rows.size();
    Tensor spread = batch.workspace().tensor(dims);
    int length = batch.shape().size() / batch.dim(0);
    for (int row = 0; row < rows.size(); row++) {
      int from = rows.get(row);
      if (from < 0) {
        Arrays.fill(spread.data(), row * length, (row + 1) * length, 0);
      } else {
        System.arraycopy(batch.data(), from * length, spread.data(), row * length, length);
      }
    }
    return spread;
  }

  private static List<Integer> inOrder(int n) {
    List<Integer> rows = new ArrayList<>();
    for (int row = 0; row < n; row++) {
      rows.add(row);
    }
    return rows;
  }

  private static AdditionalResiduals added(
      AdditionalResiduals before, AdditionalResiduals own, Workspace.Scope scope) {
    List<Tensor> down = new ArrayList<>();
    for (int i = 0; i < own.downBlocks().size(); i++) {
      down.add(added(before.downBlocks().get(i), own.downBlocks().get(i), scope));
    }
    return new AdditionalResiduals(down, added(before.midBlock(), own.midBlock(), scope));
  }

  private static Tensor added(Tensor before, Tensor own, Workspace.Scope scope) {
    Tensor sum = Elementwise.add(before, own);
    scope.release(before);
    scope.release(own);
    return sum;
  }
}
