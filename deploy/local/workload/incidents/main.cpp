#include <cstdio>
#include <fstream>
#include <string>

#include "deploy/local/workload/incidents/incidents.h"

// liveops-incidents FOLDER: writes NAME.jsonl for each incident. Exit codes: 0 done, 1 a file could
// not be written, 2 usage.
int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '-') {
    std::fputs(
        "usage: liveops-incidents FOLDER\n"
        "Writes the incidents of deploy/incidents, as the demo's workload model plays them.\n",
        stderr);
    return 2;
  }
  for (const std::string& name : liveops::workload::IncidentNames()) {
    const std::string path = std::string(argv[1]) + "/" + name + ".jsonl";
    std::ofstream out(path, std::ios::binary);
    out << liveops::workload::RecordIncident(name);
    out.flush();
    if (!out) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      return 1;
    }
    std::printf("%s\n", path.c_str());
  }
  return 0;
}
