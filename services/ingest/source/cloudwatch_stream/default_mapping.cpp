#include <stdexcept>
#include <string>

#include "services/ingest/source/cloudwatch_stream/mapping.h"

namespace liveops::ingest::cloudwatch {
namespace {

struct Line {
  const char* key;
  const char* outputs;
};

// Of each metric the finest set of dimensions that is of one target group, instance, node or
// service. Names are the plan's where they mean the same.
constexpr Line kLines[] = {
    // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    {"AWS/ApplicationELB/RequestCount{LoadBalancer,TargetGroup}", "http_request_count = sum"},
    {"AWS/ApplicationELB/HTTPCode_Target_5XX_Count{LoadBalancer,TargetGroup}",
     "http_5xx_count = sum"},
    {"AWS/ApplicationELB/HTTPCode_Target_4XX_Count{LoadBalancer,TargetGroup}",
     "http_4xx_count = sum"},
    {"AWS/ApplicationELB/TargetResponseTime{LoadBalancer,TargetGroup}",
     "http_request_duration_ms = distribution * 1000 in ms; http_request_duration_avg_ms = avg * "
     "1000 in ms; http_request_duration_max_ms = max * 1000 in ms"},
    {"AWS/ApplicationELB/HealthyHostCount{LoadBalancer,TargetGroup}", "healthy_host_count = min"},
    {"AWS/ApplicationELB/UnHealthyHostCount{LoadBalancer,TargetGroup}",
     "unhealthy_host_count = max"},
    {"AWS/ApplicationELB/TargetConnectionErrorCount{LoadBalancer,TargetGroup}",
     "target_connection_error_count = sum"},
    {"AWS/ApplicationELB/HTTPCode_ELB_5XX_Count{LoadBalancer}", "elb_5xx_count = sum"},
    {"AWS/ApplicationELB/HTTPCode_ELB_4XX_Count{LoadBalancer}", "elb_4xx_count = sum"},
    {"AWS/ApplicationELB/RejectedConnectionCount{LoadBalancer}",
     "elb_rejected_connection_count = sum"},
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
    // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
    {"AWS/RDS/CPUUtilization{DBInstanceIdentifier}", "db_cpu_utilization = avg in %"},
    {"AWS/RDS/DatabaseConnections{DBInstanceIdentifier}", "db_connection_count = max"},
    {"AWS/RDS/Deadlocks{DBInstanceIdentifier}", "db_deadlock_count = per_second"},
    {"AWS/RDS/SelectLatency{DBInstanceIdentifier}",
     "db_query_duration_ms = distribution in ms; db_query_duration_avg_ms = avg in ms"},
    {"AWS/RDS/ReadLatency{DBInstanceIdentifier}", "db_read_latency_ms = avg * 1000 in ms"},
    {"AWS/RDS/WriteLatency{DBInstanceIdentifier}", "db_write_latency_ms = avg * 1000 in ms"},
    {"AWS/RDS/DiskQueueDepth{DBInstanceIdentifier}", "db_disk_queue_depth = avg"},
    {"AWS/RDS/FreeableMemory{DBInstanceIdentifier}", "db_freeable_memory_bytes = min in By"},
    {"AWS/RDS/FreeStorageSpace{DBInstanceIdentifier}", "db_free_storage_bytes = min in By"},
    {"AWS/RDS/AuroraReplicaLag{DBInstanceIdentifier}", "db_replica_lag_ms = max in ms"},
    // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html
    {"AWS/ElastiCache/EngineCPUUtilization{CacheClusterId,CacheNodeId}",
     "redis_cpu_utilization = max in %"},
    {"AWS/ElastiCache/CacheHitRate{CacheClusterId,CacheNodeId}", "redis_hit_rate = avg in %"},
    {"AWS/ElastiCache/CacheHits{CacheClusterId,CacheNodeId}", "redis_hit_count = sum"},
    {"AWS/ElastiCache/CacheMisses{CacheClusterId,CacheNodeId}", "redis_miss_count = sum"},
    {"AWS/ElastiCache/DatabaseMemoryUsagePercentage{CacheClusterId,CacheNodeId}",
     "redis_memory_usage = max in %"},
    {"AWS/ElastiCache/BytesUsedForCache{CacheClusterId,CacheNodeId}",
     "redis_memory_bytes = max in By"},
    {"AWS/ElastiCache/CurrConnections{CacheClusterId,CacheNodeId}", "redis_connection_count = max"},
    {"AWS/ElastiCache/Evictions{CacheClusterId,CacheNodeId}", "redis_eviction_count = sum"},
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html
    {"AWS/EC2/CPUUtilization{InstanceId}", "cpu_utilization = avg in %"},
    {"AWS/EC2/StatusCheckFailed{InstanceId}", "status_check_failed = max"},
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
    {"AWS/ECS/CPUUtilization{ClusterName,ServiceName}", "cpu_utilization = avg in %"},
    {"AWS/ECS/MemoryUtilization{ClusterName,ServiceName}", "memory_utilization = avg in %"},
    // The CloudWatch agent's own, of whatever dimensions it was told to add.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/metrics-collected-by-CloudWatch-agent.html
    {"CWAgent/mem_used_percent", "memory_utilization = avg in %"},
    {"CWAgent/disk_used_percent", "disk_utilization = max in %"},
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    {"AWS/Lambda/Invocations{FunctionName}", "lambda_invocation_count = sum"},
    {"AWS/Lambda/Errors{FunctionName}", "lambda_error_count = sum"},
    {"AWS/Lambda/Throttles{FunctionName}", "lambda_throttle_count = sum"},
    {"AWS/Lambda/ConcurrentExecutions{FunctionName}", "lambda_concurrency = max"},
    {"AWS/Lambda/Duration{FunctionName}",
     "lambda_duration_ms = distribution in ms; lambda_duration_avg_ms = avg in ms; "
     "lambda_duration_max_ms = max in ms"},
    // What the month has cost so far, told a few times a day.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/monitor_estimated_charges_with_cloudwatch.html
    {"AWS/Billing/EstimatedCharges{Currency}", "cost_month_to_date = max"},
    {"AWS/Billing/EstimatedCharges{Currency,ServiceName}", "cost_month_to_date_by_product = max"},
};

}  // namespace

Mapping Mapping::Default() {
  Mapping mapping;
  for (const Line& line : kLines) {
    if (const Status s = mapping.Set(line.key, line.outputs); !s)
      throw std::logic_error(std::string(line.key) + ": " + s.error().message);
  }
  return mapping;
}

}  // namespace liveops::ingest::cloudwatch
