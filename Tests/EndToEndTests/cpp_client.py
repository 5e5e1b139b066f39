"""Apache's C++ client (PyPI wheel rocketmq==0.4.4), driven line by line by the end-to-end tests.

  cpp_client.py produce NAMESRV TOPIC COUNT   sends COUNT messages; prints "sent N" or "failed N reason" for each;
                                              waits for a line on standard input before each batch of BATCH messages
  cpp_client.py consume NAMESRV TOPIC GROUP   prints "received N" for each message until standard input ends
"""

import sys
import threading

from rocketmq.client import Message, Producer, PushConsumer

lock = threading.Lock()


def say(text):
    with lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def produce(namesrv, topic, count, retries=10):
    producer = Producer("PG_hearsay")
    producer.set_name_server_address(namesrv)
    producer.start()
    say("ready")
    for number in range(count):
        message = Message(topic)
        message.set_keys(str(number))
        message.set_body(str(number))
        # An application retries a refused send; only what was acknowledged counts as sent.
        for attempt in range(retries):
            try:
                producer.send_sync(message)
                say("sent %d" % number)
                break
            except Exception as error:
                reason = str(error).replace("\n", " ")
                say("retry %d %s" % (number, reason))
                threading.Event().wait(0.2)
        else:
            say("failed %d" % number)
    say("done")
    sys.stdin.read()
    producer.shutdown()


def consume(namesrv, topic, group):
    consumer = PushConsumer(group)
    consumer.set_name_server_address(namesrv)

    def received(message):
        say("received %s" % message.body.decode())

    consumer.subscribe(topic, received)
    consumer.start()
    say("ready")
    sys.stdin.read()
    consumer.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        consume(sys.argv[2], sys.argv[3], sys.argv[4])
