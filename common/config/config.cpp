#include "common/config/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

#include "common/base/text.h"
#include "common/config/references.h"

namespace liveops::config {
namespace {

// Deeper than any configuration; ends the walk through a file whose anchors form a circle.
constexpr int kMaxDepth = 32;

struct Position {
  int line = 1;
  int column = 1;
};

Position PositionOf(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

std::string JoinKey(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

bool IsMissing(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

const char* KindName(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  return "a single value";
}

}  // namespace

struct Reader::Impl {
  std::string text;
  std::string name;
  std::string folder;
  YAML::Node root;
  std::set<std::string, std::less<>> asked;
  // Ordered by position; a set, because a value that is asked for twice has its problem once.
  std::set<std::tuple<int, int, std::string>> problems;

  void Add(Position at, std::string message) {
    problems.emplace(at.line, at.column, std::move(message));
  }
  void Add(const YAML::Node& node, std::string message) {
    Add(PositionOf(node.Mark()), std::move(message));
  }

  // The node at a dotted path; `nearest` becomes the deepest existing node on the way.
  YAML::Node Find(std::string_view key, YAML::Node* nearest = nullptr);
  // The expanded scalar at `key`; nothing when missing or when its problem was already told.
  std::optional<std::string> Scalar(std::string_view key, bool* missing = nullptr);
  std::optional<std::string> Expand(const YAML::Node& node);
  Position Locate(const YAML::Node& node, std::string_view reference, std::size_t occurrence) const;
  void CheckDuplicates(const YAML::Node& node, int depth);
  void CheckUnknown(const YAML::Node& node, const std::string& path, int depth);
};

YAML::Node Reader::Impl::Find(std::string_view key, YAML::Node* nearest) {
  YAML::Node node = root;
  if (nearest != nullptr) nearest->reset(root);
  for (const std::string_view part : Split(key, '.')) {
    if (!node.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    // Through a const reference: the other operator[] would insert the key.
    const YAML::Node next = std::as_const(node)[std::string(part)];
    if (!next.IsDefined()) return YAML::Node(YAML::NodeType::Undefined);
    node.reset(next);
    if (nearest != nullptr) nearest->reset(next);
  }
  return node;
}

std::optional<std::string> Reader::Impl::Scalar(std::string_view key, bool* missing) {
  asked.emplace(key);
  if (missing != nullptr) *missing = false;
  const YAML::Node node = Find(key);
  if (IsMissing(node)) {
    if (missing != nullptr) *missing = true;
    return std::nullopt;
  }
  if (!node.IsScalar()) {
    Add(node, std::string(key) + " is " + KindName(node) + ", expected a single value");
    return std::nullopt;
  }
  return Expand(node);
}

// Where the n-th `reference` of this scalar stands in the file: inside quotes and blocks the offset
// in the value is not the offset in the text, so the text is searched.
Position Reader::Impl::Locate(const YAML::Node& node, std::string_view reference,
                              std::size_t occurrence) const {
  const YAML::Mark mark = node.Mark();
  Position at = PositionOf(mark);
  if (mark.is_null()) return at;
  std::size_t begin = 0;  // of the scalar; counted in lines, because a mark's offset is not in
                          // bytes in every version
  for (int line = 0; line < mark.line; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return at;
    ++begin;
  }
  begin += static_cast<std::size_t>(mark.column);
  std::size_t found = text.find(reference, begin);
  while (occurrence-- > 0 && found != std::string::npos) {
    found = text.find(reference, found + 1);
  }
  if (found == std::string::npos) return at;
  for (std::size_t i = begin; i < found; ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

std::optional<std::string> Reader::Impl::Expand(const YAML::Node& node) {
  return config::Expand(
      node.Scalar(), folder,
      [&](std::string_view reference, std::size_t occurrence, std::string message) {
        Add(Locate(node, reference, occurrence), std::move(message));
      });
}

void Reader::Impl::CheckDuplicates(const YAML::Node& node, int depth) {
  if (depth > kMaxDepth) {
    Add(node, "nested more than " + std::to_string(kMaxDepth) + " deep");
    return;
  }
  if (node.IsSequence()) {
    for (const auto& item : node) CheckDuplicates(item, depth + 1);
  }
  if (!node.IsMap()) return;
  std::map<std::string, int> lines;
  for (const auto& item : node) {
    if (!item.first.IsScalar()) {
      Add(item.first, std::string("a key is ") + KindName(item.first) + ", expected a word");
      continue;
    }
    const auto [first, fresh] =
        lines.emplace(item.first.Scalar(), PositionOf(item.first.Mark()).line);
    if (!fresh) {
      Add(item.first, "the key \"" + item.first.Scalar() + "\" is given twice, first in line " +
                          std::to_string(first->second));
    }
    CheckDuplicates(item.second, depth + 1);
  }
}

void Reader::Impl::CheckUnknown(const YAML::Node& node, const std::string& path, int depth) {
  if (depth > kMaxDepth || IsMissing(node)) return;
  if (!node.IsMap()) {
    Add(node, (path.empty() ? name : path) + " is " + KindName(node) + ", expected a mapping");
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  std::vector<std::string> known;
  for (const std::string& key : asked) {
    if (!key.starts_with(prefix)) continue;
    const std::string word =
        key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size());
    if (known.empty() || known.back() != word) known.push_back(word);
  }
  for (const auto& item : node) {
    if (!item.first.IsScalar()) continue;  // told as a duplicate check's finding
    const std::string& word = item.first.Scalar();
    const std::string key = JoinKey(path, word);
    if (asked.contains(key)) continue;
    if (std::find(known.begin(), known.end(), word) != known.end()) {
      CheckUnknown(item.second, key, depth + 1);
    } else {
      Add(item.first, "unknown key \"" + key + "\"" + Suggestion(word, known));
    }
  }
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::Open(const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return text.error();
  return FromText(*text, path, std::filesystem::path(path).parent_path().string());
}

Result<Reader> Reader::FromText(std::string_view text, const std::string& name,
                                const std::string& folder) {
  auto impl = std::make_unique<Impl>();
  impl->text = text;
  impl->name = name;
  impl->folder = folder;
  try {
    impl->root = YAML::Load(impl->text);
    impl->CheckDuplicates(impl->root, 0);
  } catch (const YAML::Exception& e) {
    const Position at = PositionOf(e.mark);
    return InvalidError(name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                        ": not valid YAML: " + e.msg);
  }
  return Reader(std::move(impl));
}

std::string Reader::Require(std::string_view key) {
  bool missing = false;
  auto value = impl_->Scalar(key, &missing);
  if (missing) {
    YAML::Node nearest;
    impl_->Find(key, &nearest);
    impl_->Add(nearest, "the key " + std::string(key) + " is missing");
  } else if (value && value->empty()) {
    impl_->Add(impl_->Find(key), std::string(key) + " is empty, expected a value");
  }
  return value.value_or("");
}

std::string Reader::String(std::string_view key, std::string_view fallback) {
  return impl_->Scalar(key).value_or(std::string(fallback));
}

std::int64_t Reader::Integer(std::string_view key, std::int64_t fallback) {
  const auto value = impl_->Scalar(key);
  if (!value) return fallback;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end) return number;
  Problem(key, std::string(key) + " is not a whole number");
  return fallback;
}

double Reader::Number(std::string_view key, double fallback) {
  const auto value = impl_->Scalar(key);
  if (!value) return fallback;
  double number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && std::isfinite(number)) return number;
  Problem(key, std::string(key) + " is not a number");
  return fallback;
}

bool Reader::Flag(std::string_view key, bool fallback) {
  const auto value = impl_->Scalar(key);
  if (!value) return fallback;
  if (*value == "true" || *value == "yes" || *value == "on") return true;
  if (*value == "false" || *value == "no" || *value == "off") return false;
  Problem(key, std::string(key) + " is neither true nor false");
  return fallback;
}

Duration Reader::Time(std::string_view key, Duration fallback) {
  const auto value = impl_->Scalar(key);
  if (!value) return fallback;
  const auto duration = ParseDuration(*value);
  if (duration.ok()) return *duration;
  Problem(key, std::string(key) + " is not a length of time, such as 250ms, 5s or 10min");
  return fallback;
}

std::vector<std::string> Reader::List(std::string_view key) {
  impl_->asked.emplace(key);
  std::vector<std::string> values;
  const YAML::Node node = impl_->Find(key);
  if (IsMissing(node)) return values;
  if (!node.IsSequence()) {
    impl_->Add(node, std::string(key) + " is " + KindName(node) + ", expected a list");
    return values;
  }
  for (const auto& item : node) {
    if (!item.IsScalar()) {
      impl_->Add(item, "an item of " + std::string(key) + " is " +
                           (item.IsNull() ? "empty" : KindName(item)) +
                           ", expected a single value");
    } else if (auto value = impl_->Expand(item)) {
      values.push_back(std::move(*value));
    }
  }
  return values;
}

std::map<std::string, std::string> Reader::Map(std::string_view key) {
  impl_->asked.emplace(key);
  std::map<std::string, std::string> values;
  const YAML::Node node = impl_->Find(key);
  if (IsMissing(node)) return values;
  if (!node.IsMap()) {
    impl_->Add(node, std::string(key) + " is " + KindName(node) + ", expected a mapping");
    return values;
  }
  for (const auto& item : node) {
    if (!item.first.IsScalar()) continue;
    const std::string path = std::string(key) + "." + item.first.Scalar();
    if (!item.second.IsScalar()) {
      impl_->Add(item.second, path + " is " +
                                  (item.second.IsNull() ? "empty" : KindName(item.second)) +
                                  ", expected a single value");
    } else if (auto value = impl_->Expand(item.second)) {
      values.emplace(item.first.Scalar(), std::move(*value));
    }
  }
  return values;
}

void Reader::Problem(std::string_view key, std::string message) {
  YAML::Node nearest;
  impl_->Find(key, &nearest);
  if (message.starts_with("must ")) message = std::string(key) + " " + message;
  impl_->Add(nearest, std::move(message));
}

Status Reader::Finish() {
  impl_->CheckUnknown(impl_->root, "", 0);
  if (impl_->problems.empty()) return {};
  std::ostringstream out;
  const char* separator = "";
  for (const auto& [line, column, message] : impl_->problems) {
    out << separator << impl_->name << ':' << line << ':' << column << ": " << message;
    separator = "\n";
  }
  return InvalidError(out.str());
}

}  // namespace liveops::config
