#include "common/plan/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <vector>

#include "common/base/text.h"

namespace liveops::plan {
namespace {

constexpr std::size_t kMaxText = 1 << 20;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxNodes = 100'000;

// Ends the reading from inside an event.
struct TooMuch {
  std::size_t offset;
  const char* message;
};

// Builds the tree from the events, so that anchors are seen (and refused) rather than followed.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, ProblemList& problems) : problems_(problems) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  std::size_t Offset(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0) return 0;
    const auto line = std::min(static_cast<std::size_t>(mark.line), line_starts_.size() - 1);
    return line_starts_[line] + static_cast<std::size_t>(std::max(mark.column, 0));
  }

  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Put(Make(YamlNode::Kind::kNull, mark, "", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problems_.Add(Offset(mark), "references (*name) are not used in plans: write the value here");
    Put(Make(YamlNode::Kind::kNull, mark, "", 0));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = Make(YamlNode::Kind::kScalar, mark, tag, anchor);
    node.scalar = value;
    // Plain `~` and `null` come here too.
    if (tag == "?" && (value == "~" || value == "null" || value.empty())) {
      node.kind = YamlNode::Kind::kNull;
    }
    Put(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Make(YamlNode::Kind::kList, mark, tag, anchor));
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Make(YamlNode::Kind::kMap, mark, tag, anchor));
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode node;
    std::optional<YamlNode> key;
  };

  YamlNode Make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    YamlNode node;
    node.kind = kind;
    node.offset = Offset(mark);
    if (++nodes_ > kMaxNodes) throw TooMuch{node.offset, "the plan has more than 100000 values"};
    if (anchor != 0) {
      problems_.Add(node.offset,
                    "anchors (&name) are not used in plans: write the value where it is used");
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      problems_.Add(node.offset, "tags (!name) are not used in plans");
    }
    return node;
  }

  void Open(YamlNode node) {
    if (stack_.size() >= kMaxDepth) throw TooMuch{node.offset, "nested more than 16 deep"};
    stack_.push_back({std::move(node), std::nullopt});
  }

  void Close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    Put(std::move(node));
  }

  void Put(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == YamlNode::Kind::kList) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      if (node.kind != YamlNode::Kind::kScalar) {
        problems_.Add(node, fmt::format("found {} as a key, expected a word", KindName(node.kind)));
      }
      frame.key = std::move(node);
    } else {
      AddEntry(frame, std::move(node));
    }
  }

  void AddEntry(Frame& frame, YamlNode value) {
    YamlNode key = std::move(*frame.key);
    frame.key.reset();
    if (key.kind != YamlNode::Kind::kScalar) return;  // told already
    const auto& entries = frame.node.entries;
    const auto first = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto& e) { return e.key.scalar == key.scalar; });
    if (first != entries.end()) {
      problems_.Add(key, fmt::format("\"{}\" is given twice, first in line {}", key.scalar,
                                     problems_.LineOf(first->key.offset)));
      return;
    }
    frame.node.entries.push_back({std::move(key), std::move(value)});
  }

  ProblemList& problems_;
  std::vector<std::size_t> line_starts_;
  std::vector<Frame> stack_;
  std::size_t nodes_ = 0;
  YamlNode root_;
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The length of the escape at the front of `raw` in a double-quoted scalar.
std::size_t EscapeLength(std::string_view raw) {
  if (raw.size() < 2) return 1;
  if (raw[1] == 'x') return 4;
  if (raw[1] == 'u') return 6;
  if (raw[1] == 'U') return 10;
  return 2;
}

// Walks the scalar's text in the file beside its value, up to the value's byte `index`.
std::size_t RawOffset(std::string_view text, const YamlNode& scalar, std::size_t index) {
  std::size_t raw = scalar.offset;
  if (raw >= text.size()) return scalar.offset;
  const char style = text[raw];
  if (style == '|' || style == '>') {
    raw = text.find('\n', raw);
    if (raw == std::string_view::npos) return scalar.offset;
  } else if (style == '"' || style == '\'') {
    ++raw;
  }
  const std::string& value = scalar.scalar;
  bool escaped = false;
  for (std::size_t i = 0; i <= index && raw < text.size(); ++i) {
    const char wanted = i < value.size() ? value[i] : '\0';
    if (wanted == ' ' || wanted == '\n') {
      if (i == index) return raw;
      if (text[raw] == wanted) {
        ++raw;
      } else if (style == '"' && text[raw] == '\\') {
        raw += EscapeLength(text.substr(raw));
      } else {  // a fold: any run of blanks became this one
        while (raw < text.size() && IsBlank(text[raw])) ++raw;
      }
      continue;
    }
    if (i >= value.size()) return raw;
    while (raw < text.size() && IsBlank(text[raw]) && wanted != '\t') ++raw;
    if (i == index) return raw;
    const bool continued = (static_cast<unsigned char>(wanted) & 0xc0) == 0x80;
    if (continued && escaped)
      continue;  // later bytes of an escaped character have none of their own
    escaped = style == '"' && raw < text.size() && text[raw] == '\\';
    if (escaped) {
      raw += EscapeLength(text.substr(raw));
    } else {
      raw += style == '\'' && text.substr(raw).starts_with("''") ? 2 : 1;
    }
  }
  return std::min(raw, text.size());
}

// What may have been meant where the text is no YAML; "" when nobody knows.
std::string YamlHint(std::string_view text, std::size_t at, std::string_view message) {
  at = std::min(at, text.size());
  const std::size_t line = text.substr(0, at).rfind('\n') + 1;  // npos + 1 = 0
  const std::size_t begin = line < 2 ? 0 : text.rfind('\n', line - 2) + 1;
  const std::string_view near = text.substr(begin, text.find('\n', at) - begin);
  const std::size_t tab = near.find('\t');
  const auto front = [&](std::size_t i) {  // nothing stands before it in its line
    const std::size_t from = near.substr(0, i).rfind('\n') + 1;
    return near.substr(from, i - from).find_first_not_of(" \t") == std::string_view::npos;
  };
  if (tab != std::string_view::npos && front(tab)) {
    return "; a tab stands in front of a line, YAML is indented by spaces";
  }
  if (near.find("\xef\xbc\x9a") != std::string_view::npos) {
    return "; \"\xef\xbc\x9a\" is a full-width character: write \":\"";
  }
  if (message.find("flow not found") != std::string_view::npos) {
    return "; between { and } a text with { } [ ] , or # stands in quotes: when: 'avg(m{a=\"b\"}) "
           "> "
           "1'";
  }
  if (message.starts_with("illegal map value")) return "; a text with \": \" stands in quotes";
  if (message.find("block scalar") != std::string_view::npos) {
    return "; a text that begins with > or | stands in quotes";
  }
  if (message.starts_with("end of ") || message.starts_with("illegal block entry")) {
    return "; lines of one list or mapping begin below each other";
  }
  return "";
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

const char* KindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a mapping";
  }
  return "nothing";
}

void ProblemList::Add(std::size_t offset, std::string message) {
  found_.emplace_back(std::min(offset, text_.size()), std::move(message));
}

void ProblemList::AddInside(const YamlNode& scalar, std::size_t index, std::string message) {
  Add(RawOffset(text_, scalar, index), std::move(message));
}

int ProblemList::LineOf(std::size_t offset) const {
  return 1 + static_cast<int>(std::count(
                 text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

std::vector<Problem> ProblemList::Take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  std::vector<Problem> problems;
  for (auto& [offset, message] : found_) {
    const std::string_view before = text_.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 = 0
    int column = 1;                                         // in characters, as editors count
    for (const char c : before.substr(line_start)) {
      if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) ++column;
    }
    problems.push_back({LineOf(offset), column, std::move(message)});
  }
  found_.clear();
  return problems;
}

YamlNode ReadYaml(std::string_view text, ProblemList& problems, std::string_view what) {
  if (text.size() > kMaxText) {
    problems.Add(0, fmt::format("the {} is larger than 1 MiB", what));
    return {};
  }
  if (!IsValidUtf8(text)) {
    problems.Add(0, fmt::format("the {} is not UTF-8 text", what));
    return {};
  }
  TreeBuilder builder(text, problems);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    YamlNode root = builder.TakeRoot();
    ProblemList ignored(text);
    TreeBuilder rest(text, ignored);
    if (parser.HandleNextDocument(rest)) {
      problems.Add(rest.TakeRoot(),
                   fmt::format("a second document begins here; a {0} file holds one {0}", what));
    }
    return root;
  } catch (const YAML::Exception& e) {
    const std::size_t at = builder.Offset(e.mark);
    problems.Add(at, "not valid YAML: " + ScrubUtf8(e.msg) + YamlHint(text, at, e.msg));
  } catch (const TooMuch& e) {
    problems.Add(e.offset, e.message);
  } catch (const std::exception& e) {  // of the standard library, from inside yaml-cpp
    problems.Add(0, std::string("not valid YAML: ") + e.what());
  }
  return {};
}

}  // namespace liveops::plan
