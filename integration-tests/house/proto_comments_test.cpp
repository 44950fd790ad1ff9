// Every message, field, enum value and call of proto/liveops/v1 says what it means, with its unit.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Declarations {
  std::size_t seen = 0;
  std::vector<std::string> bare;  // "<line>: <declaration>" of those that no comment explains
};

// A comment explains what is declared on its line or, on a line of its own, just below it.
Declarations Read(std::istream& in) {
  static const std::regex kHead(R"(^(message|enum|service)\s+\w+)");
  static const std::regex kMember(
      R"(^(rpc\s|((repeated|optional)\s+)?(map<[^>]*>|[\w.]+)\s+\w+\s*=\s*\d+\s*;|\w+\s*=\s*\d+\s*;))");
  Declarations found;
  std::string line;
  bool comment_above = false;
  for (int number = 1; std::getline(in, line); ++number) {
    line.erase(0, line.find_first_not_of(" \t"));
    const bool head = std::regex_search(line, kHead);
    if (head || std::regex_search(line, kMember)) {
      ++found.seen;
      const std::size_t trailing = line.find("// ");
      if (!comment_above && (head || trailing == std::string::npos)) {
        found.bare.push_back(fmt::format("{}: {}", number, line));
      }
    }
    comment_above = line.starts_with("// ");
  }
  return found;
}

TEST(ProtoComments, EveryDeclarationSaysWhatItMeans) {
  std::size_t seen = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(LIVEOPS_SOURCE_DIR) / "proto/liveops/v1")) {
    if (entry.path().extension() != ".proto") continue;
    std::ifstream in(entry.path());
    const Declarations found = Read(in);
    seen += found.seen;
    for (const std::string& bare : found.bare) {
      ADD_FAILURE() << entry.path().filename().string() << ":" << bare
                    << "\nsay what it means and in which unit, on its line or just above it";
    }
  }
  EXPECT_GT(seen, 300U) << "the test no longer sees the protos";
}

TEST(ProtoComments, ABareDeclarationIsFound) {
  std::istringstream in(R"(// A batch.
message Batch {
  int64 time_ms = 1;  // domain time
  int64 bare_ms = 2;
  // Points, by kind.
  map<string, uint64> points = 3;
  map<string, uint64> bare = 4;
  repeated liveops.v1.Label labels = 5;
  oneof body {
    Tick tick = 6;
  }
}
enum Kind {
  KIND_BARE = 0;
  KIND_GOOD = 1;  // good
}
// Calls.
service Calls {
  rpc Bare(A) returns (stream B);
  rpc Good(A) returns (B);  // role: viewer
}
)");
  EXPECT_THAT(Read(in).bare,
              testing::ElementsAre("4: int64 bare_ms = 2;", "7: map<string, uint64> bare = 4;",
                                   "8: repeated liveops.v1.Label labels = 5;", "10: Tick tick = 6;",
                                   "13: enum Kind {", "14: KIND_BARE = 0;",
                                   "19: rpc Bare(A) returns (stream B);"));
}

}  // namespace
