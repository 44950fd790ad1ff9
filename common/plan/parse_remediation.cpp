#include <fmt/format.h>

#include "common/base/text.h"
#include "common/plan/checks.h"
#include "common/plan/plan_reader.h"

namespace liveops::plan {

void PlanReader::ReadRemediations(const YamlNode* node) {
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kList) {
    problems_.Add(*node, fmt::format("remediations is {}, expected a list", KindName(node->kind)));
    return;
  }
  for (const YamlNode& item : node->items) ReadRemediation(item);
}

void PlanReader::ReadRemediation(const YamlNode& node) {
  Fields fields(node, "a remediation", problems_);
  if (!fields.valid()) return;
  Remediation remediation;
  remediation.name = ReadName(fields, "remediation", remediation_offsets_);
  const auto condition = ReadWhen(fields);
  if (condition) remediation.when = *condition;
  remediation.min_count =
      static_cast<std::uint64_t>(fields.Whole("min_count", 0, 1'000'000'000).value_or(20));
  ReadAction(fields, remediation);
  ReadApproval(fields, remediation);
  if (const YamlNode* expect = fields.Scalar("expect")) {
    auto parsed = ParseExpect(expect->scalar, &bindings_);
    if (!parsed.value && !parsed.error.message.empty()) {
      problems_.AddInside(*expect, parsed.error.offset, parsed.error.message);
    }
    remediation.expect = std::move(parsed.value);
  }
  ReadPageWith(fields, remediation);
  fields.Refuse(
      {{"automatic", "actions without a person; each is approved"},
       {"pre_approved", "pre-approvals; each action is approved when it is proposed"},
       {"budget", "budgets of an action's own"},
       {"cooldown", "a cool-down of an action's own; remediation's configuration has one for all"},
       {"steps", "several steps; write one do"},
       {"verify", "other checks; write expect"},
       {"rollback", "undoing an action that did not help"}});
  fields.Finish();
  if (condition && !remediation.name.empty()) plan_.remediations.push_back(std::move(remediation));
}

void PlanReader::ReadAction(Fields& fields, Remediation& remediation) {
  const YamlNode* node = fields.Require("do");
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kMap) {
    problems_.Add(*node,
                  fmt::format("do is {}, expected {{kubectl: [rollout, undo, deployment/NAME]}}",
                              KindName(node->kind)));
    return;
  }
  Fields action(*node, "do", problems_);
  for (const auto& [key, value] : node->entries) {
    if (key.scalar == "kubectl") continue;
    problems_.Add(key,
                  fmt::format("the action \"{}\" cannot be run yet; only kubectl rollout undo can",
                              Truncate(key.scalar, 60)));
  }
  const YamlNode* kubectl = node->Find("kubectl");
  if (kubectl == nullptr) {
    if (node->entries.empty()) action.Require("kubectl");
    return;
  }
  if (kubectl->kind != YamlNode::Kind::kList) {
    problems_.Add(*kubectl, fmt::format("kubectl is {}, expected a list of arguments: "
                                        "[rollout, undo, deployment/NAME]",
                                        KindName(kubectl->kind)));
    return;
  }
  for (const YamlNode& item : kubectl->items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      problems_.Add(item,
                    fmt::format("an argument is {}, expected a single value", KindName(item.kind)));
      return;
    }
    remediation.kubectl.push_back(item.scalar);
  }
  const KubectlFault fault = NormalizeKubectl(remediation.kubectl);
  if (fault.message.empty()) return;
  problems_.Add(kubectl->items.empty() ? *kubectl : kubectl->items[fault.index], fault.message);
}

void PlanReader::ReadApproval(Fields& fields, Remediation& remediation) {
  const YamlNode* node = fields.Require("approval");
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::kMap) {
    problems_.Add(*node,
                  "expected approval: {from: OWNER, within: 15min}; nothing that changes something "
                  "runs without a person");
    return;
  }
  Fields approval(*node, "approval", problems_);
  if (const YamlNode* from = approval.Require("from")) {
    if (from->kind == YamlNode::Kind::kList) {
      problems_.Add(*from, "an approval by several people cannot be run yet; expected one owner");
    } else if (from->kind == YamlNode::Kind::kScalar) {
      remediation.approval_from = from->scalar;
      ReadOwnerName(*from);
    } else {
      problems_.Add(*from, "from is a mapping, expected an owner");
    }
  }
  remediation.approval_within =
      approval.Time("within", std::chrono::minutes(1), std::chrono::hours(24))
          .value_or(remediation.approval_within);
  approval.Finish();
}

void PlanReader::ReadPageWith(Fields& fields, Remediation& remediation) {
  const YamlNode* node = fields.Scalar("page_with");
  if (node == nullptr) return;
  remediation.page_with = node->scalar;
  const Alarm* alarm = plan_.FindAlarm(node->scalar);
  if (alarm != nullptr) {
    if (alarm->page) return;
    problems_.Add(*node,
                  fmt::format("alarm \"{}\" is a shadow alarm, so no page of it can carry the "
                              "proposal",
                              alarm->name));
  } else if (!alarm_offsets_.contains(
                 node->scalar)) {  // one that is there but broken was told already
    std::vector<std::string> known;
    for (const auto& [name, offset] : alarm_offsets_) known.push_back(name);
    problems_.Add(*node, fmt::format("unknown alarm \"{}\"{}", Truncate(node->scalar, 60),
                                     Suggestion(node->scalar, known)));
  }
}

}  // namespace liveops::plan
