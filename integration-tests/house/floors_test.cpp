// The dependency floors of docs/architecture.md, read off the sources' own #include lines.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Room {
  std::string prefix;  // of the path from the root; the longest match counts
  int floor;
  std::string service;  // rooms of different services do not meet
};

const std::vector<Room>& Rooms() {
  static const std::vector<Room> rooms = {
      {"common/base/", 0, ""},
      {"common/testing/", 0, ""},
      {"common/plan/", 1, ""},
      {"common/sketch/", 1, ""},
      {"common/wire/", 1, ""},
      {"services/ingest/admit/", 1, "ingest"},
      {"services/rule-evaluation/engine/", 1, "rule-evaluation"},
      {"services/notifier/policy/", 1, "notifier"},
      {"services/remediation/policy/", 1, "remediation"},
      {"services/liveopsctl/rehearse/", 1, "liveopsctl"},
      {"common/config/", 2, ""},
      {"common/telemetry/", 2, ""},
      {"common/kafka/", 2, ""},
      {"common/redis/", 2, ""},
      {"common/rpc/", 2, ""},
      {"common/http/", 2, ""},
      {"common/runtime/", 3, ""},
      {"common/client/", 3, ""},
      {"services/ingest/", 3, "ingest"},
      {"services/rule-evaluation/", 3, "rule-evaluation"},
      {"services/rule-evaluation/codec/", 3, "rule-evaluation"},
      {"services/notifier/", 3, "notifier"},
      {"services/remediation/", 3, "remediation"},
      {"services/liveopsctl/", 3, "liveopsctl"},
      {"services/liveopsctl/log/", 3, "liveopsctl"},
      {"deploy/", 4, ""},
      {"integration-tests/", 5, ""},
  };
  return rooms;
}

// The one place where two services meet outside proto/: a plan is rehearsed by the very engine that
// will judge it, on the log as the very decoder reads it that will feed it (docs/adr/0006).
bool IsRehearsal(const Room& own, const Room& other) {
  return (own.prefix == "services/liveopsctl/rehearse/" &&
          other.prefix == "services/rule-evaluation/engine/") ||
         (own.prefix == "services/liveopsctl/log/" &&
          other.prefix == "services/rule-evaluation/codec/");
}

const Room* RoomOf(const std::string& path) {
  const Room* best = nullptr;
  for (const Room& room : Rooms()) {
    if (path.starts_with(room.prefix) &&
        (best == nullptr || room.prefix.size() > best->prefix.size()))
      best = &room;
  }
  return best;
}

// A third-party header and the only folders whose .cpp files may name it.
struct Owner {
  std::string header;
  std::vector<std::string> folders;
};

const std::vector<Owner>& Owners() {
  static const std::vector<Owner> owners = {
      {"librdkafka/", {"common/kafka/"}},
      {"hiredis/", {"common/redis/"}},
      {"spdlog/", {"common/telemetry/"}},
      {"yaml-cpp/", {"common/config/", "common/plan/"}},
      {"curl/", {"common/http/"}},
      {"xxhash.h", {"common/base/"}},
      {"openssl/", {"common/base/", "common/http/"}},
      {"CLI/", {"services/", "deploy/local/"}},
      {"httplib.h", {"common/http/", "deploy/local/"}},
      {"snappy.h", {"services/ingest/codec/"}},
  };
  return owners;
}

struct Include {
  int line;
  bool quoted;
  std::string path;
};

struct Source {
  std::string path;
  std::vector<Include> includes;
  std::string text;
  bool test;
};

std::vector<Source> Sources() {
  static const std::regex kInclude(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  std::vector<Source> sources;
  const fs::path root = LIVEOPS_SOURCE_DIR;
  for (const char* top : {"common", "services", "deploy", "integration-tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".h") continue;
      Source source;
      source.path = fs::relative(entry.path(), root).string();
      source.test = source.path.find("_test.") != std::string::npos ||
                    source.path.ends_with("_fuzz.cpp") || source.path.ends_with("_for_tests.h") ||
                    source.path.find("/testing/") != std::string::npos;
      std::ifstream in(entry.path());
      std::string line;
      for (int number = 1; std::getline(in, line); ++number) {
        source.text += line + "\n";
        std::smatch match;
        if (std::regex_search(line, match, kInclude)) {
          source.includes.push_back({number, match[1] == "\"", match[2]});
        }
      }
      sources.push_back(std::move(source));
    }
  }
  return sources;
}

TEST(Floors, IncludesGoDownwardOnlyAndServicesMeetOnlyInProto) {
  std::size_t checked = 0;
  for (const Source& source : Sources()) {
    const Room* own = RoomOf(source.path);
    ASSERT_NE(own, nullptr) << source.path
                            << " is in no room; add it to this test and to docs/architecture.md";
    for (const Include& include : source.includes) {
      if (!include.quoted) continue;
      const Room* other = RoomOf(include.path);
      if (other == nullptr) continue;
      ++checked;
      EXPECT_LE(other->floor, own->floor) << fmt::format("{}:{} includes {} from a higher floor",
                                                         source.path, include.line, include.path);
      if (!own->service.empty() && !other->service.empty() && !IsRehearsal(*own, *other)) {
        EXPECT_EQ(own->service, other->service)
            << fmt::format("{}:{}: services meet only in proto/", source.path, include.line);
      }
      if (own->floor == 2 && other->floor == 2 && own->prefix != other->prefix) {
        EXPECT_EQ(other->prefix, "common/telemetry/") << fmt::format(
            "{}:{}: an adapter uses no other adapter but the log", source.path, include.line);
      }
    }
  }
  EXPECT_GT(checked, 50U) << "the test no longer sees the sources";
}

// Headers of threads, clocks, randomness, files, streams to the outside and the system.
bool IsOutsideHeader(const std::string& header) {
  static const std::set<std::string> kHeaders = {
      "thread",    "mutex",    "shared_mutex", "condition_variable",
      "future",    "random",   "ctime",        "atomic",
      "fstream",   "iostream", "cstdio",       "filesystem",
      "csignal",   "unistd.h", "fcntl.h",      "signal.h",
      "stdio.h",   "time.h",   "netdb.h",      "poll.h",
      "pthread.h", "spawn.h",  "dirent.h"};
  if (kHeaders.contains(header)) return true;
  return header.starts_with("sys/") || header.starts_with("arpa/") ||
         header.starts_with("netinet/") || header.starts_with("linux/");
}

// A call that a pure room may not make; "" when the text holds none.
std::string OutsideCall(const std::string& text) {
  static const std::regex kCalls(
      R"((system_clock|steady_clock|high_resolution_clock)::now|WallClockNow\s*\(|std::rand\b|random_device|\btime\(nullptr\)|\b(secure_)?getenv\s*\()");
  std::smatch match;
  return std::regex_search(text, match, kCalls) ? match.str() : "";
}

TEST(Floors, PureRoomsHaveNoProtoNoThreadNoClockNoRandomnessNoFile) {
  for (const Source& source : Sources()) {
    const Room* room = RoomOf(source.path);
    if (room == nullptr || room->floor != 1 || source.test) continue;
    for (const Include& include : source.includes) {
      EXPECT_FALSE(include.path.starts_with("liveops/v1/") || include.path.starts_with("google/") ||
                   include.path.starts_with("grpc"))
          << fmt::format("{}:{}: a pure room knows no proto", source.path, include.line);
      EXPECT_FALSE(!include.quoted && IsOutsideHeader(include.path)) << fmt::format(
          "{}:{}: <{}> has no place in a pure room", source.path, include.line, include.path);
    }
    EXPECT_EQ(OutsideCall(source.text), "")
        << source.path << ": time, chance and settings are arguments";
  }
}

TEST(Floors, WhatAPureRoomMayNotUseIsKnown) {
  for (const char* header : {"thread", "random", "fstream", "iostream", "filesystem", "unistd.h",
                             "sys/stat.h", "sys/socket.h"}) {
    EXPECT_TRUE(IsOutsideHeader(header)) << header;
  }
  for (const char* header : {"string", "sstream", "chrono", "cmath", "system_error", "charconv"}) {
    EXPECT_FALSE(IsOutsideHeader(header)) << header;
  }
  EXPECT_EQ(OutsideCall("const char* home = std::getenv(\"HOME\");"), "getenv(");
  EXPECT_EQ(OutsideCall("auto t = std::chrono::steady_clock::now();"), "steady_clock::now");
  EXPECT_EQ(OutsideCall("const std::string getenvelope = Name();"), "");
}

TEST(Floors, ThirdPartyHeadersStayInTheirFolder) {
  for (const Source& source : Sources()) {
    if (source.test || source.path.starts_with("integration-tests/")) continue;
    for (const Include& include : source.includes) {
      for (const Owner& owner : Owners()) {
        if (!include.path.starts_with(owner.header)) continue;
        bool home = false;
        for (const std::string& folder : owner.folders)
          home = home || source.path.starts_with(folder);
        EXPECT_TRUE(home) << fmt::format("{}:{}: {} belongs to {}", source.path, include.line,
                                         include.path, owner.folders.front());
        const bool internal = source.path.ends_with("/internal.h");
        EXPECT_TRUE(source.path.ends_with(".cpp") || internal || source.path.starts_with("deploy/"))
            << fmt::format("{}:{}: {} leaks through a header", source.path, include.line,
                           include.path);
      }
    }
  }
}

}  // namespace
