"""Apache's C++ client (PyPI wheel rocketmq==0.4.4), for the end-to-end tests. Both commands run until SIGTERM.

  cpp_client.py produce NAMESRV TOPIC COUNT PAUSE   sends COUNT messages, PAUSE seconds apart; prints "sent N" for each
                                                    acknowledged one, "retry N reason" in between, "done" at the end
  cpp_client.py consume NAMESRV TOPIC GROUP         prints "received N" for each message
"""

import signal
import sys
import threading
import time

# The client's own threads must not take the signal that ends us.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])

from rocketmq.client import Message, Producer, PushConsumer  # noqa: E402

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
            producer.send_sync(message)
            say("sent %d" % number)
            return
        except Exception as error:
            say("retry %d %s" % (number, str(error).replace("\n", " ")))
            time.sleep(0.1)
    say("failed %d" % number)


def produce(namesrv, topic, count, pause):
    producer = Producer("PG_hearsay")
    producer.set_name_server_address(namesrv)
    producer.start()
    say("ready")
    for number in range(count):
        send(producer, topic, number)
        time.sleep(pause)
    say("done")
    until_told()
    producer.shutdown()


def consume(namesrv, topic, group):
    consumer = PushConsumer(group)
    consumer.set_name_server_address(namesrv)
    consumer.subscribe(topic, lambda message: say("received %s" % message.body.decode()))
    consumer.start()
    say("ready")
    until_told()
    consumer.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    else:
        consume(sys.argv[2], sys.argv[3], sys.argv[4])
