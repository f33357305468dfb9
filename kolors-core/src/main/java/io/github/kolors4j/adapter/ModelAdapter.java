package io.github.kolors4j.adapter;

import io.github.kolors4j.checkpoint.Parameter;
import io.github.kolors4j.checkpoint.WeightAdapter;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.ForeignText;
import io.github.kolors4j.tensor.Weight;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The updates of one adapter for one model.
 *
 * @param name of the adapter, for messages
 * @param identity of the adapter and its weights
 * @param updates by the module's name in the checkpoint
 * @param strength what the update of a module is multiplied by
 */
record ModelAdapter(
    String name, String identity, Map<String, Update> updates, ToDoubleFunction<String> strength)
    implements WeightAdapter {

  /** Those of an adapter's updates whose modules the model has, and which have their shapes. */
  static Map<String, Update> updatesFor(Adapter adapter, ModuleNames modules)
      throws InvalidFileException {
    Map<String, Update> updates = new LinkedHashMap<>();
    for (Map.Entry<String, Update> each : adapter.contents().updates().entrySet()) {
      String module = modules.find(each.getKey()).orElse("");
      if (module.isEmpty()) {
        continue;
      }
      Parameter weight = modules.weightOf(module);
      if (weight.shape().size() > 1) {
        long rows = weight.shape().getFirst();
        each.getValue()
            .checkFits(weight.name(), rows, weight.size() / rows, adapter.path().toString());
      }
      if (updates.put(module, each.getValue()) != null) {
        throw new InvalidFileException(
            "[adapter] %s: %s is in it under two names, of which one is %s."
                .formatted(adapter.path(), module, ForeignText.oneLine(each.getKey())));
      }
    }
    return updates;
  }

  @Override
  public Weight extend(String name, Weight base) throws InvalidFileException {
    String module = ModuleNames.ofWeight(name);
    Update update = updates.get(module);
    double times = update == null ? 0 : strength.applyAsDouble(module);
    return update == null || times == 0 ? base : update.over(base, times, this.name);
  }
}
