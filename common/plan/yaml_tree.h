#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/plan/parse.h"

// YAML as this house uses it: mappings, lists and scalars with exact positions. Anchors, tags,
// further documents and repeated keys are problems, not features: a plan says each thing once,
// where it is read.
namespace liveops::plan {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::size_t offset = 0;  // in bytes of the file
  std::string scalar;
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a mapping, in file order; keys are scalars, each once

  const YamlNode* Find(std::string_view key) const;
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// "a mapping", "a list", "a value", "nothing".
const char* KindName(YamlNode::Kind kind);

// Collects problems by byte offset and tells them as lines and columns. Not thread-safe.
class ProblemList {
 public:
  explicit ProblemList(std::string_view text) : text_(text) {}
  void Add(std::size_t offset, std::string message);
  void Add(const YamlNode& node, std::string message) { Add(node.offset, std::move(message)); }
  // At the byte of the file that became `index` of the scalar's value, past quotes, escapes and
  // folded lines.
  void AddInside(const YamlNode& scalar, std::size_t index, std::string message);
  int LineOf(std::size_t offset) const;
  bool empty() const { return found_.empty(); }
  // In file order, each once.
  std::vector<Problem> Take();

 private:
  std::string_view text_;
  std::vector<std::pair<std::size_t, std::string>> found_;
};

// The first document of `text`, which the problems must be about; `what` names it there, where it
// is no plan. Never throws.
YamlNode ReadYaml(std::string_view text, ProblemList& problems, std::string_view what = "plan");

}  // namespace liveops::plan
