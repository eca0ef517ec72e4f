// SPDX-License-Identifier: Apache-2.0
#include <joulecast/joulecast.hpp>

#include <cstdio>

int main() {
  const auto model = joulecast::parse_model(R"(
    name = "model A"
    [[block]]
    kind = "transformer_encoder"
    num_hidden_layers = 6
    hidden_size = 512
    num_attention_heads = 8
    intermediate_size = 2048)",
                                            "model_a.toml");
  const auto device = joulecast::load_devices()->find("a100-80gb-pcie");
  const auto prediction = joulecast::predict(
      {.model = *model,
       .device = *device,
       .setup = {
           .batch_size = 64, .sequence_length = 320, .precision = joulecast::Precision::tf32}});
  if (!prediction) return 1;
  std::printf("%s takes %g s and %.1f J per step\n", prediction->model.name.c_str(),
              prediction->step.duration.value(), prediction->step.energy->value());
}
