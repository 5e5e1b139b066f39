"""Apache's C++ client (PyPI wheel rocketmq==0.4.4), for the end-to-end tests. Both commands run until SIGTERM.

  cpp_client.py produce NAMESRV TOPICS COUNT PAUSE  sends messages 0 to COUNT - 1, PAUSE seconds apart, the same number
                                                    to each of the comma-separated TOPICS in turn; prints "sent N" for
                                                    each acknowledged one, "retry N reason" in between, "done" at the
                                                    end; waits before the first message of topic number T, counted from
                                                    0, while there is a file hold-T in the working directory
  cpp_client.py consume NAMESRV TOPICS GROUP        prints "received N" for each message

With ACCESS_KEY and SECRET_KEY in the environment requests are signed with them.
"""

import os
import signal
import sys
import threading
import time

# The client's own threads must not take the signal that ends us.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])

from rocketmq.client import Message, Producer, PushConsumer, SendStatus  # noqa: E402

RETRIES = 100
lock = threading.Lock()


def say(text):
    with lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def until_told():
    signal.sigwait([signal.SIGTERM, signal.SIGINT])


def send(producer, topic, number):
    """An application retries a refused send; only what was acknowledged counts as sent."""
    for _ in range(RETRIES):
        message = Message(topic)
        message.set_keys(str(number))
        message.set_body(str(number))
        try:
            status = producer.send_sync(message).status
            if status == SendStatus.OK:
                say("sent %d" % number)
                return
            say("retry %d %s" % (number, status))
        except Exception as error:
            say("retry %d %s" % (number, str(error).replace("\n", " ")))
        time.sleep(0.1)
    say("failed %d" % number)


def give_credentials(client):
    if "ACCESS_KEY" in os.environ:
        client.set_session_credentials(os.environ["ACCESS_KEY"], os.environ["SECRET_KEY"], "ALIYUN")


def produce(namesrv, topics, count, pause):
    producer = Producer("PG_hearsay")
    producer.set_namesrv_addr(namesrv)
    give_credentials(producer)
    producer.start()
    say("ready")
    each = count // len(topics)
    for number in range(each * len(topics)):
        turn = number // each
        while number % each == 0 and os.path.exists("hold-%d" % turn):
            time.sleep(0.01)
        send(producer, topics[turn], number)
        time.sleep(pause)
    say("done")
    until_told()
    producer.shutdown()


def consume(namesrv, topics, group):
    consumer = PushConsumer(group)
    consumer.set_namesrv_addr(namesrv)
    give_credentials(consumer)
    for topic in topics:
        consumer.subscribe(topic, lambda message: say("received %s" % message.body.decode()))
    consumer.start()
    say("ready")
    until_told()
    consumer.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(sys.argv[2], sys.argv[3].split(","), int(sys.argv[4]), float(sys.argv[5]))
    else:
        consume(sys.argv[2], sys.argv[3].split(","), sys.argv[4])
