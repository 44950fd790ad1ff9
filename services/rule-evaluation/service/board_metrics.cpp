#include "services/rule-evaluation/service/board_metrics.h"

#include <string>

namespace liveops::evaluation {
namespace {

// Of this process.
void AddOwners(const OwnerCounters& n, metrics::List& list) {
  const auto count = [&](const char* name, const char* help, std::uint64_t value,
                         const char* status) {
    list.Counter(std::string("evaluation_") + name, help, static_cast<double>(value), status);
  };
  count("transitions_total", "Transitions of alarms and probes that were written.", n.transitions,
        "transitions");
  count("readings_total",
        "Readings written for the homes of rules whose series lie on several partitions.",
        n.readings, "readings");
  count("rollups_total", "Records of what was rolled up that were written.", n.rollups, "rollups");
  count("transitions_known_total", "Transitions of a replay that the log has already.", n.known,
        "transitions_known");
  count("replay_contradictions_total",
        "Transitions of a replay that the log contradicts; the log wins.", n.contradictions,
        "replay_contradictions");
  count("alarms_adopted_total", "Alarms that were set to what the log says.", n.adopted,
        "alarms_adopted");
  count("records_dead_lettered_total", "Records that could not be read.", n.poison,
        "records_dead_lettered");
  count("delivery_failures_total", "Writes that Kafka did not take and that were repeated.",
        n.delivery_failures, "delivery_failures");
  count("plans_refused_total", "Plans that could not be put in force.", n.plans_refused,
        "plans_refused");
  count("records_rewritten_total", "Valid records written again after a void one.", n.rewritten,
        "records_rewritten");
  count("claims_again_total", "Partitions claimed anew.", n.reclaims, "claims_again");
}

void AddTable(const AlarmTable::Counters& n, metrics::List& list) {
  const auto count = [&](const char* name, const char* help, std::uint64_t value,
                         const char* status) {
    list.Counter(std::string("evaluation_") + name, help, static_cast<double>(value), status);
  };
  count("alarm_rows_written_total", "Rows written to the table of alarms in Redis.", n.written,
        "alarms_written");
  count("table_refreshes_total", "Times that a partition's table was written whole.", n.refreshes,
        "table_refreshes");
  count("redis_failures_total", "Calls that Redis did not answer.", n.failures, "redis_failures");
  count("snapshots_total", "Snapshots stored in Redis.", n.snapshots, "snapshots");
  count("snapshots_failed_total", "Snapshots that were not stored.", n.snapshots_failed,
        "snapshots_failed");
}

void AddShard(const StatusBoard::Partition& partition, metrics::List& list) {
  const engine::ShardCounters& n = partition.counters;
  const metrics::Labels labels = {{"partition", std::to_string(partition.partition)}};
  const auto count = [&](const char* name, const char* help, std::uint64_t value,
                         const char* status) {
    list.Counter(std::string("evaluation_shard_") + name, help, static_cast<double>(value), status,
                 labels);
  };
  count("records_total", "Records of metrics.v1 that the shard applied.", n.records, "records");
  count("points_total", "Points in them of series that the plan watches.", n.points, "points");
  count("points_late_total", "Points behind the watermark of what they feed.", n.points_late,
        "points_late");
  count("points_duplicate_total", "Points that repeat one that was counted.", n.points_duplicate,
        "points_duplicate");
  count("points_future_total", "Points too far ahead of the partition's clock.", n.points_future,
        "points_future");
  count("points_unit_mismatch_total", "Points whose unit does not fit the rule's.",
        n.points_unit_mismatch, "points_unit_mismatch");
  count("series_refused_total", "Series beyond what the shard may have.", n.series_refused,
        "series_refused");
  count("clock_steps_held_total", "Steps of the brokers' time that were not adopted at once.",
        n.clock_steps_held, "clock_steps_held");
  count("judgements_total", "Times that a condition was judged.", n.judgements, "judgements");
}

}  // namespace

void AddMetrics(const StatusBoard::View& view, metrics::List& list) {
  AddOwners(view.owners, list);
  AddTable(view.table, list);
  list.Gauge("evaluation_unconfirmed_records", "Records that Kafka has not acknowledged yet.",
             static_cast<double>(view.unconfirmed), "unconfirmed");
  for (const StatusBoard::Partition& partition : view.partitions) AddShard(partition, list);
}

}  // namespace liveops::evaluation
