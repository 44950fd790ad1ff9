#include "services/notifier/channel/words.h"

namespace liveops::notifier {

const Words& EnglishWords() {
  static constexpr Words kWords = {
      .severity = {"CRITICAL", "HIGH", "MEDIUM", "LOW"},
      .respond_critical = "at once, within {}",
      .respond_within = "within {}",
      .respond_next_day = "next business day",
      .units = {" d", " h", " min", " s"},
      .resolved = "RESOLVED",
      .gone = "CLOSED (its series left)",
      .decommissioned = "CLOSED (its series were decommissioned)",
      .withdrawn = "CLOSED (the plan no longer has it)",
      .replaced = "CLOSED (a newer episode began)",
      .no_data = "NO DATA",
      .now = "Now",
      .limit = "Limit",
      .since = "Since",
      .lasted = "Lasted",
      .peak = "Peak",
      .owner = "Owner",
      .response = "Respond",
      .window = "Window",
      .held = "held for",
      .events = "events",
      .top = "Where",
      .changed = "What changed before",
      .nothing_changed = "no deployment in the hour before",
      .error_lines = "Last errors",
      .traces = "Traces",
      .failed = "failed",
      .remedy = "Prepared countermeasure",
      .approve = "Approve",
      .until = "valid until",
      .approver = "Approver",
      .runs = "Runs",
      .seen = "Seen",
      .runbook = "Runbook",
      .take = "Take it on",
      .taken_by = "taken on by",
      .may_repeat = "This may be a repeat: the outcome of the earlier attempt is not known.",
      .remedy_proposed = "COUNTERMEASURE waits for approval",
      .remedy_end = {"open", "verified: it helped", "ran, but did not help",
                     "unknown: it may or may not have run, a person must look", "failed",
                     "refused: nothing ran", "expired: nobody approved in time",
                     "withdrawn: no longer needed", "denied: nothing ran"},
      .approved_by = "approved by",
      .ago = "ago",
      .plan = "plan",
      .silent = "no data arrives",
      .up_from = "up from {}",
      .down_from = "down from {}",
      .flaps = "FLAPPING",
      .flapping =
          "It opened {} times within {}. It now stays open until it has been clear for {}, "
          "and then resolves once.",
      .flapped = "It flapped: opened {} times.",
      .shadowed = "CLOSED (the plan no longer pages it)",
      .more = "{} alarms, and {} more",
      .more_refused =
          "The condition has as many alarms as there may be, and the others are not "
          "watched. Those that it has go on unchanged.",
      .more_series = "{} series, and {} more",
      .series_refused =
          "A shard has as many series as it may have, and the others of this service are not "
          "watched: alarms that rest on them cannot fire. The others go on unchanged.",
      .more_alerts = "{} foreign alerts, and {} more",
      .alerts_refused =
          "A service has as many foreign alerts as it may have, and the others are not taken: they "
          "page nobody. Those that it has go on unchanged.",
      .recovered_to = "Back at",
      .stale = "STALE",
      .not_heard = "not heard of again since {}; nobody said that it is over",
      .told_by = "Told by",
      .last_told = "Last told",
      .source = "Where it is judged",
  };
  return kWords;
}

const Words& KoreanWords() {
  static constexpr Words kWords = {
      .severity = {"심각(Critical)", "높음(High)", "보통(Medium)", "낮음(Low)"},
      .respond_critical = "즉시 대응 ({} 이내)",
      .respond_within = "{} 이내 대응",
      .respond_next_day = "다음 영업일 대응",
      .units = {"일", "시간", "분", "초"},
      .resolved = "복구됨",
      .gone = "종료 (대상이 사라짐)",
      .decommissioned = "종료 (대상이 폐기됨)",
      .withdrawn = "종료 (플랜에서 제거됨)",
      .replaced = "종료 (새 에피소드 시작)",
      .no_data = "데이터 없음",
      .now = "현재 값",
      .limit = "기준",
      .since = "시작",
      .lasted = "지속 시간",
      .peak = "최고치",
      .owner = "담당",
      .response = "대응",
      .window = "구간",
      .held = "지속",
      .events = "건",
      .top = "발생 위치",
      .changed = "직전 변경",
      .nothing_changed = "직전 1시간 내 배포 없음",
      .error_lines = "최근 오류 로그",
      .traces = "트레이스",
      .failed = "실패",
      .remedy = "준비된 조치",
      .approve = "승인",
      .until = "유효 기한",
      .approver = "승인자",
      .runs = "실행 명령",
      .seen = "관측",
      .runbook = "런북",
      .take = "담당 선언",
      .taken_by = "담당자",
      .may_repeat = "중복 알림일 수 있습니다: 이전 전송 결과를 확인하지 못했습니다.",
      .remedy_proposed = "조치 승인 대기",
      .remedy_end = {"진행 중", "확인됨: 효과가 있었습니다", "실행됐으나 효과 없음",
                     "불명: 실행 여부를 사람이 확인해야 합니다", "실패", "거부됨: 실행되지 않음",
                     "만료: 기한 내 승인 없음", "철회: 더 이상 필요 없음", "거절됨: 실행되지 않음"},
      .approved_by = "승인자",
      .ago = "전",
      .plan = "플랜",
      .silent = "데이터가 들어오지 않음",
      .up_from = "{}에서 악화",
      .down_from = "{}에서 완화",
      .flaps = "반복 발생",
      .flapping =
          "{}회 발생했습니다 ({} 이내). {} 동안 정상이 유지될 때까지 열린 상태로 두고, 그 후 "
          "한 번만 복구를 알립니다.",
      .flapped = "반복 발생: 총 {}회.",
      .shadowed = "종료 (플랜에서 호출 대상에서 제외됨)",
      .more = "알람 {}개, 그 외 {}개",
      .more_refused =
          "조건이 가질 수 있는 알람 수의 한도에 도달해 나머지는 감시되지 않습니다. 기존 "
          "알람은 그대로 유지됩니다.",
      .more_series = "시계열 {}개, 그 외 {}개",
      .series_refused =
          "샤드가 가질 수 있는 시계열 수의 한도에 도달해 이 서비스의 나머지는 감시되지 않으며, "
          "그에 기반한 알람은 발생하지 않습니다. 다른 알람은 그대로 유지됩니다.",
      .more_alerts = "외부 알림 {}개, 그 외 {}개",
      .alerts_refused =
          "서비스가 가질 수 있는 외부 알림 수의 한도에 도달해 나머지는 받지 않으며 호출되지 "
          "않습니다. 기존 알림은 그대로 유지됩니다.",
      .recovered_to = "복구 값",
      .stale = "소식 끊김",
      .not_heard = "{} 이후 다시 전달되지 않음; 해제되었다는 전달은 없음",
      .told_by = "알린 곳",
      .last_told = "마지막 전달",
      .source = "판정한 곳",
  };
  return kWords;
}

}  // namespace liveops::notifier
