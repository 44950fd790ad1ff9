#include "deploy/local/workload/incidents/incidents.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace liveops::workload {
namespace {

// What deploy/incidents says of itself is so: this model made it, and nobody touched it since.
TEST(Incidents, TheRecordingsAreTheModels) {
  for (const std::string& name : IncidentNames()) {
    const std::string path = LIVEOPS_SOURCE_DIR "/deploy/incidents/" + name + ".jsonl";
    std::ifstream in(path, std::ios::binary);
    ASSERT_TRUE(in) << path << ": write it by liveops-incidents deploy/incidents";
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_TRUE(text == RecordIncident(name))
        << path << " is not what the model gives: write it by liveops-incidents deploy/incidents";
    EXPECT_LT(text.size(), 300'000U) << path;
  }
}

TEST(Incidents, AnUnknownNameGivesNothing) { EXPECT_EQ(RecordIncident("flood"), ""); }

}  // namespace
}  // namespace liveops::workload
