#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/http/server.h"
#include "services/ingest/service/emitter_book.h"

// Inside this folder: what the HTTP front is made of.
namespace liveops::ingest {

http::Reply Text(int status, std::string_view text);

// The status that an error is answered with; what may be tried again is 503.
int HttpStatusOf(ErrorCode code);
// "the content type "x" is not taken": `what` and how it was given.
std::string ContentFault(std::string_view what, std::string_view given);

http::Reply ToReply(const Error& error);
// In whole seconds (RFC 9110, 10.2.3); in place of what stands there.
void AddRetryAfter(http::Reply& reply, Duration wait);

// Nothing of a request is the sender's to write: a mistake of whoever set it up, who would never
// learn of it from a 200.
bool AllForeign(const WriteAnswer& answer);

// Without blanks around it.
std::string_view Trim(std::string_view text);
// `word` is in lower case, `text` in any.
bool SameWord(std::string_view text, std::string_view word);

// What a header "Basic …" holds (RFC 7617): the user's name and the password; nothing when it is
// none.
std::optional<std::pair<std::string, std::string>> ReadBasic(std::string_view header);

// A media type (RFC 9110, 8.3.1) and its parameter `proto`; views the text.
struct MediaType {
  std::string_view type;
  std::string_view proto;
};
MediaType ParseMediaType(std::string_view text);

// Waits for the one answer.
template <typename T>
class Answered {
 public:
  std::function<void(const Result<T>&)> Keep() {
    return [promise = promise_](const Result<T>& result) { promise->set_value(result); };
  }
  Result<T> Wait() { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<Result<T>>> promise_ = std::make_shared<std::promise<Result<T>>>();
};

}  // namespace liveops::ingest
