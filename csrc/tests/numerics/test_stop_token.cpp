#include <chrono>
#include <thread>

#include "check.hpp"
#include "numerics/stop_token.hpp"

namespace kpm {

namespace {

using Clock = StopToken::Clock;
using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

TEST(a_token_asks_seldom_before_the_deadline_and_at_once_after_it) {
  int asked = 0;
  const Clock::time_point deadline = Clock::now() + milliseconds(5);
  StopToken token(
      [&] {
        ++asked;
        return Clock::now() < deadline;
      },
      nullptr, deadline);
  while (!token.poll()) {
    CHECK(asked == 0);  // twenty milliseconds have not passed
  }
  CHECK(asked == 1);
  CHECK(Clock::now() >= deadline);
  CHECK(token.stopped());
}

TEST(a_deadline_that_has_passed_stops_at_the_first_look) {
  StopToken token([] { return false; }, nullptr, Clock::now());
  CHECK(!token.stopped());
  CHECK(token.poll());
}

TEST(what_follows_a_deadline_has_no_time_and_what_follows_another_stop_has_some) {
  StopToken late([] { return false; }, nullptr, Clock::now());
  CHECK(late.poll());
  late.renew();
  CHECK(!late.stopped());
  CHECK(late.poll());

  StopToken interrupted([] { return false; }, nullptr, Clock::now() + hours(1));
  interrupted.stop();
  interrupted.renew();
  CHECK(!interrupted.poll());
}

TEST(before_a_deadline_a_token_still_asks_every_twenty_milliseconds) {
  bool wanted = true;
  StopToken token([&] { return wanted; }, nullptr, Clock::now() + hours(1));
  wanted = false;
  CHECK(!token.poll());
  std::this_thread::sleep_for(milliseconds(21));
  CHECK(token.poll());
}

}  // namespace kpm
