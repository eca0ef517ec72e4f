// SPDX-License-Identifier: Apache-2.0
#pragma once

// The smallest directory that looks like the authors' release: made-up rows, right columns.

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace joulecast {

class SyntheticTables {
 public:
  SyntheticTables() {
    std::string pattern = (std::filesystem::temp_directory_path() / "joulecast_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    write("dataForTransformerHEF.csv",
          "source,operation,FLOPs,HEF,elapsed_time_sec,peak\n"
          "NVIDIA A100 80GB PCIe,QKV Projections,1e10,20,0.0003,1.56e14\n"
          "NVIDIA A100 80GB PCIe,QKV Projections,2e10,30,0.0004,1.56e14\n");
    write("dataForLstmHEF.csv",
          "source,component,FLOPs,HEF,elapsed_time_sec,peak\n"
          "NVIDIA A100 80GB PCIe,Activations,16384,0.001,0.0002,1.56e14\n");
    write("SubsetDataForTransformer_energyModel.csv", transformer_steps());
    write("SubsetDataForLSTM_energyModel.csv",
          ",component,energy_consumed_kWh,duration_Activations,duration_Cell_Update,"
          "duration_Gates,duration_Hidden_Update\n"
          "1,Activations,0.001,1,2,3,4\n"
          "2,Activations,0.002,2,2,5,4\n"
          "3,Activations,0.003,1,3,7,5\n");
  }
  ~SyntheticTables() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  SyntheticTables(const SyntheticTables&) = delete;
  SyntheticTables& operator=(const SyntheticTables&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << text;
  }

 private:
  // Two copies and one other row. QKV: 1 layer * 0.01 TFLOP / (156 TFLOP/s * 0.2) = 320.5 us true.
  static std::string transformer_steps() {
    std::string header =
        ",source,duration,energy_joules,num_repeats,num_layers,peak,flops_counts,HEF,"
        "total_gpu_energy_kWh,total_cpu_energy_kWh,total_ram_energy_kWh";
    for (const char* name :
         {"QKV Projections", "Attention Scores", "Attention Output", "Final Projection"}) {
      for (const char* what : {"FLOPs_", "HEF_", "duration_"}) {
        header += std::string{","} + what + name;
      }
    }
    const std::string same =
        "a100,0.5,50,1,1,156,0.78,1,0.001,0.0002,0.0001,"
        "0.01,20,3.205128205,0.01,20,2,0.01,20,0.000002,0.01,20,4\n";
    const std::string other =
        "a100,1.0,98,1,1,156,1.56,1,0.00168333333,0.0004,0.0002,"
        "0.02,30,4.273504274,0.02,30,3,0.02,30,0.000003,0.02,30,5\n";
    return header + "\n7," + same + "8," + same + "9," + other;
  }

  std::string directory_;
};

}  // namespace joulecast
