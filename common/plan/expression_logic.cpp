#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/plan/expression_parser.h"

namespace liveops::plan {
namespace {

constexpr unsigned kMaxDepth = 16;
constexpr int kMaxSlots = 60;
constexpr Duration kMaxHold = std::chrono::hours(24 * 7);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool Joins(std::string_view word) { return word == "and" || word == "or" || word == "unless"; }

std::optional<Duration> SlotOf(std::string_view word) {
  if (word == "min" || word == "m") return std::chrono::minutes(1);
  if (word == "h" || word == "hr") return std::chrono::hours(1);
  return std::nullopt;
}

bool IsWhole(double number, int least, int most) {
  return number >= least && number <= most && number == static_cast<int>(number);
}

}  // namespace

bool ExpressionParser::ReadCondition(Condition& condition) {
  std::size_t root = 0;
  if (!ReadLogic(root) || !ReadHold(condition.hold, &condition.quorum)) return false;
  const bool held = condition.hold.count() > 0 || condition.quorum.needed > 0;
  if (Joins(cursor_.PeekWord())) {
    return FailHere(
        "a hold counts for the whole condition and stands at its end: a and b for 5min");
  }
  if (!ReadEnd(held ? "the end" : "and, or, unless, for and a length of time, or the end")) {
    return false;
  }
  const auto compared = std::count_if(tests_.begin(), tests_.end(),
                                      [](const Test& test) { return test.IsCompared(); });
  if (tests_.size() + static_cast<std::size_t>(compared) > Condition::kTestsMax) {
    return Fail(0, fmt::format("a condition has at most {} tests, and one that is compared with an "
                               "earlier time counts twice",
                               Condition::kTestsMax));
  }
  if (tests_.size() > 1) WriteLogic(root, condition.logic);
  static_cast<Test&>(condition) = std::move(tests_.front());
  condition.more.assign(std::make_move_iterator(tests_.begin() + 1),
                        std::make_move_iterator(tests_.end()));
  return CheckServices(condition);
}

bool ExpressionParser::ReadLogic(std::size_t& node) {
  if (!ReadChain(node)) return false;
  while (cursor_.TakeKeyword("or")) {
    std::size_t right = 0;
    if (!ReadChain(right)) return false;
    node = JoinLogic(LogicStep::Kind::kOr, node, right);
  }
  return true;
}

bool ExpressionParser::ReadChain(std::size_t& node) {
  if (!ReadItem(node)) return false;
  while (true) {
    LogicStep::Kind kind = LogicStep::Kind::kAnd;
    if (cursor_.TakeKeyword("unless")) {
      kind = LogicStep::Kind::kUnless;
    } else if (!cursor_.TakeKeyword("and")) {
      return true;
    }
    std::size_t right = 0;
    if (!ReadItem(right)) return false;
    node = JoinLogic(kind, node, right);
  }
}

bool ExpressionParser::ReadItem(std::size_t& node) {
  const std::size_t begin = cursor_.offset();
  if (OpensGroup()) {
    if (!Enter() || !ReadLogic(node)) return false;
    if (cursor_.PeekWord() == "for" || IsDigit(cursor_.Peek())) {
      return FailHere(
          "a hold counts for the whole condition: it stands after the last parenthesis");
    }
    --depth_;
    return cursor_.Take(")") || FailUnexpected("and, or, unless or \")\"");
  }
  if (tests_.size() == Condition::kTestsMax) {
    return Fail(begin, fmt::format("a condition has at most {} tests", Condition::kTestsMax));
  }
  Test test;
  test.window = window_;
  if (!ReadTest(tests_.empty() ? nullptr : &tests_.front(), test)) return false;
  logic_.push_back({LogicStep::Kind::kTest, tests_.size(), 0, 0});
  node = logic_.size() - 1;
  tests_.push_back(std::move(test));
  return true;
}

// Whether the parenthesis here encloses tests rather than a part of a formula: only tests compare.
// (Looked up, not tried out: trying would take twice as long for each parenthesis that is nested,
// and would tell of the wrong mistake.)
bool ExpressionParser::OpensGroup() {
  const std::string_view text = cursor_.rest();
  if (!text.starts_with('(')) return false;
  int depth = 0;
  bool filter = false;  // inside { }, where = and != are no comparisons
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      for (++i; i < text.size() && text[i] != c; ++i) i += text[i] == '\\' ? 1 : 0;
    } else if (c == '{' || c == '}') {
      filter = c == '{';
    } else if (filter) {
      continue;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      if (--depth == 0) return false;
    } else if (c == '<' || c == '>' || c == '=' || c == '!') {
      return true;
    }
  }
  return false;
}

bool ExpressionParser::Enter() {
  const std::size_t at = cursor_.offset();
  cursor_.Take("(");
  return ++depth_ <= kMaxDepth + slack() ||
         Fail(at, fmt::format("parentheses are nested more than {} deep", kMaxDepth));
}

// `a or (b or c)` says the same as `a or b or c`, likewise `a and (b unless c)`: one way to write
// it, so that it is one condition.
std::size_t ExpressionParser::JoinLogic(LogicStep::Kind kind, std::size_t left, std::size_t right) {
  using Kind = LogicStep::Kind;
  const LogicNode inner = logic_[right];
  const bool flat =
      (kind == Kind::kOr && inner.kind == Kind::kOr) ||
      (kind == Kind::kAnd && (inner.kind == Kind::kAnd || inner.kind == Kind::kUnless));
  if (flat) {
    left = JoinLogic(kind, left, inner.left);
    kind = inner.kind;
    right = inner.right;
  }
  logic_.push_back({kind, 0, left, right});
  return logic_.size() - 1;
}

void ExpressionParser::WriteLogic(std::size_t node, std::vector<LogicStep>& steps) const {
  const LogicNode& n = logic_[node];
  if (n.kind != LogicStep::Kind::kTest) {
    WriteLogic(n.left, steps);
    WriteLogic(n.right, steps);
  }
  steps.push_back({n.kind, n.test});
}

// A quorum only where `quorum` is given.
bool ExpressionParser::ReadHold(Duration& hold, Quorum* quorum) {
  const std::size_t begin = cursor_.offset();
  const bool word = cursor_.TakeKeyword("for");
  if (!word && !IsDigit(cursor_.Peek())) return true;  // no hold
  if (quorum != nullptr) {
    const std::size_t at = cursor_.offset();
    const auto number = cursor_.TakeNumber();
    const bool counts = number && cursor_.PeekWord() == "of";
    cursor_.MoveTo(at);
    if (counts && !word) {
      return Fail(begin, "expected for before it, as in for 3 of 5min");
    }
    if (counts) return ReadQuorum(*quorum);
  }
  return ReadTime("the hold", Duration(0), kMaxHold, hold);
}

bool ExpressionParser::ReadQuorum(Quorum& quorum) {
  const std::size_t needed_at = cursor_.offset();
  const double needed = cursor_.TakeNumber().value_or(0);
  cursor_.TakeWord();  // of
  const std::size_t of_at = cursor_.offset();
  const auto of = cursor_.TakeNumber();
  if (!of) return FailUnexpected("a number of minutes or hours, as in for 3 of 5min");
  const std::size_t slot_at = cursor_.offset();
  const auto slot = SlotOf(cursor_.TakeWord());
  if (!slot) {
    return Fail(slot_at,
                "the slots that are counted are minutes or hours: expected min or h, as in "
                "for 3 of 5min");
  }
  if (!IsWhole(*of, 1, kMaxSlots)) {
    return Fail(of_at, fmt::format("expected from 1 to {} slots", kMaxSlots));
  }
  if (!IsWhole(needed, 1, static_cast<int>(*of))) {
    return Fail(needed_at, fmt::format("of {0} slots 1 to {0} can be asked for, found {1}", *of,
                                       FormatNumber(needed)));
  }
  quorum = {static_cast<int>(needed), static_cast<int>(*of), *slot};
  return true;
}

}  // namespace liveops::plan
