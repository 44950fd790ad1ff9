#pragma once

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/plan/yaml_tree.h"

namespace liveops::plan {

// A key that a later version will run, and what is to be said of it meanwhile.
struct ComingKey {
  std::string_view key;
  std::string_view message;
};

// Reads one mapping key by key; what nobody asked for is told by Finish with the nearest known key.
// A problem gives nothing back, so that the caller goes on and finds the next one. Not thread-safe.
class Fields {
 public:
  // `what` names the mapping in messages: "alarm \"disk-usage\"". A node of another kind is a
  // problem.
  Fields(const YamlNode& node, std::string what, ProblemList& problems);
  bool valid() const { return valid_; }
  const YamlNode& node() const { return node_; }
  void Rename(std::string what) { what_ = std::move(what); }

  // nullptr when the key is missing or empty; Require makes that a problem.
  const YamlNode* Get(std::string_view key);
  const YamlNode* Require(std::string_view key);

  // The single value at the key; a list or mapping is a problem.
  const YamlNode* Scalar(std::string_view key, bool required = false);
  std::string Text(std::string_view key);
  std::optional<std::int64_t> Whole(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> PositiveNumber(std::string_view key);
  std::optional<bool> Flag(std::string_view key);
  std::optional<Duration> Time(std::string_view key, Duration least, Duration most);

  void Refuse(std::initializer_list<ComingKey> keys);
  // Keys that other languages have, or that stand elsewhere: told with what is said here.
  void Redirect(std::initializer_list<ComingKey> keys);
  void Finish();

 private:
  const YamlNode& node_;
  std::string what_;
  ProblemList& problems_;
  bool valid_;
  std::set<std::string, std::less<>> asked_;
};

std::optional<Duration> ReadTime(const YamlNode& scalar, std::string_view what, Duration least,
                                 Duration most, ProblemList& problems);

}  // namespace liveops::plan
