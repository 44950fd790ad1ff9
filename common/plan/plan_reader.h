#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/plan/expression.h"
#include "common/plan/fields.h"
#include "common/plan/log_count.h"
#include "common/plan/model.h"
#include "common/plan/yaml_tree.h"

namespace liveops::plan {

// `metrics:` -> what each name stands for.
Bindings ReadBindings(const YamlNode& metrics, ProblemList& problems);

// Fills a Plan from the tree of a plan file, going on after each problem. One use. Not thread-safe.
class PlanReader {
 public:
  // `spread_max`: the most partitions that the plan may take. `fresh`: it is not in force yet, and
  // is refused where what it says can never be so.
  PlanReader(ProblemList& problems, int spread_max, bool fresh = false)
      : problems_(problems), spread_max_(spread_max), fresh_(fresh) {}
  Plan Read(const YamlNode& root);
  std::vector<LogCount> TakeLogCounts() { return std::move(logs_); }

 private:
  // parse.cpp
  void ReadSpread(Fields& fields);
  void CheckSpread(const YamlNode* node);
  void ReadOwners(const YamlNode* node);
  void ReadOwner(const YamlNode& name, const YamlNode& node);
  void ReadAlarms(const YamlNode* node);
  void ReadAlarm(const YamlNode& node);
  void ReadLateness(const YamlNode* node);
  void ReadResponse(const YamlNode* node);
  void ReadForeign(const YamlNode* node);
  void CheckRouting(const Alarm& alarm, const YamlNode& node);

  // parse_life.cpp: when an alarm goes off, and what says how it lives
  void ReadPurpose(Fields& fields, Alarm& alarm);
  void ReadRecipient(Fields& fields, Alarm& alarm);
  void ReadClear(Fields& fields, const Condition* condition, Alarm& alarm);
  void ReadLevels(Fields& fields, const Condition* condition, Alarm& alarm);
  bool ReadLevel(const YamlNode& node, const Condition& condition, const Alarm& alarm,
                 const Level* below, Level& level);
  void ReadFlapping(Fields& fields, Alarm& alarm);
  void ReadNoData(Fields& fields, Alarm& alarm);
  // The name at "name", checked against those seen before.
  std::string ReadName(Fields& fields, std::string_view what,
                       std::map<std::string, std::size_t>& seen);
  std::optional<Condition> ReadWhen(Fields& fields);
  // Of an alarm: `when`, or `expect` in its place.
  std::optional<Condition> ReadCondition(Fields& fields);
  const Owner* ReadOwnerName(const YamlNode& node);

  // parse_slo.cpp
  void ReadSlos(const YamlNode* node);
  void ReadSlo(const YamlNode& node);
  bool ReadObjective(Fields& fields, Slo& slo);
  bool ReadShare(Fields& fields, Measure& share);
  bool ReadEvents(const YamlNode& node, Operand& series);
  bool ReadGood(const YamlNode& node, const Operand* total, Measure& share);
  bool ReadSlices(Fields& fields, const YamlNode& node, Slo& slo);
  bool ReadGoodSlice(const YamlNode& node, TimeSlices& slices);
  std::uint64_t ReadBadMin(Fields& fields, const Slo& slo);
  void CheckBurnNames(const YamlNode& name, bool slices);

  // parse_logs.cpp
  void ReadLogs(const YamlNode* node);
  void ReadLogCount(const YamlNode& node);

  // parse_remediation.cpp
  void ReadRemediations(const YamlNode* node);
  void ReadRemediation(const YamlNode& node);
  void ReadAction(Fields& fields, Remediation& remediation);
  void ReadApproval(Fields& fields, Remediation& remediation);
  void ReadPageWith(Fields& fields, Remediation& remediation);

  ProblemList& problems_;
  const int spread_max_;
  const bool fresh_;
  Bindings bindings_;
  Plan plan_;
  std::vector<LogCount> logs_;
  std::map<std::string, std::size_t> alarm_offsets_;
  std::map<std::string, std::size_t> slo_offsets_;
  std::map<std::string, std::size_t> log_offsets_;
  std::map<std::string, std::size_t> remediation_offsets_;
};

}  // namespace liveops::plan
