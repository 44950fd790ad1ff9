#pragma once

#include "services/notifier/channel/page.h"

namespace liveops::notifier {

// Every word that pages are made of, a table a language, all in words.cpp.
struct Words {
  const char* severity[4];       // by plan::Severity
  const char* respond_critical;  // {}: a time, "5 min"
  const char* respond_within;    // {}: likewise
  const char* respond_next_day;
  const char* units[4];  // behind a number: days, hours, minutes, seconds
  const char* resolved;
  const char* gone;
  const char* decommissioned;
  const char* withdrawn;
  const char* replaced;
  const char* no_data;
  const char* now;
  const char* limit;
  const char* since;
  const char* lasted;
  const char* peak;
  const char* owner;
  const char* response;
  const char* window;
  const char* held;
  const char* events;
  const char* top;
  const char* changed;
  const char* nothing_changed;
  const char* error_lines;
  const char* traces;
  const char* failed;  // of one
  const char* remedy;
  const char* approve;
  const char* until;
  const char* approver;
  const char* runs;
  const char* seen;
  const char* runbook;
  const char* take;  // how to acknowledge
  const char* taken_by;
  const char* may_repeat;
  const char* remedy_proposed;
  const char* remedy_end[9];  // by RemedyEnd
  const char* approved_by;
  const char* ago;
  const char* plan;
  const char* silent;     // "no data arrives"
  const char* up_from;    // behind a severity; {}: the one before
  const char* down_from;  // likewise
  const char* flaps;      // behind a severity
  const char* flapping;   // {}: number, time, time that it must be quiet
  const char* flapped;    // at its end; {}: number
  const char* shadowed;
  const char* more;          // {}: number of alarms, and of those that are not watched
  const char* more_refused;  // what that means
  const char* more_series;   // {}: number of series, and of those that are not watched
  const char* series_refused;
  const char* more_alerts;  // {}: number of foreign alerts, and of those that are not taken
  const char* alerts_refused;
  const char* recovered_to;
  const char* stale;
  const char* not_heard;  // {}: a time
  const char* told_by;
  const char* last_told;
  const char* source;  // of a link to where it is judged
};

const Words& EnglishWords();
const Words& KoreanWords();

}  // namespace liveops::notifier
