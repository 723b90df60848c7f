import type { AnyCommand, AnyMessage, Reply } from "./messages.gen";

type Message = Exclude<AnyMessage, Reply>;
type WithoutNumber<C> = C extends AnyCommand ? Omit<C, "request"> : never;

/** A command as callers write it: the number is given here. */
export type Request = WithoutNumber<AnyCommand>;

export interface SocketEvents {
  onMessage(message: Message): void;
  onConnected(isConnected: boolean): void;
}

const RETRY_MS = [250, 500, 1000, 2000, 4000];

/** The one WebSocket: commands out, replies and updates in; it comes back by itself. */
export class CommandSocket {
  private socket: WebSocket | undefined;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private nRequests = 0;
  private nFailures = 0;
  private isClosed = false;

  constructor(private readonly events: SocketEvents) {}

  connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/socket`);
    this.socket = socket;
    socket.onopen = () => {
      this.nFailures = 0;
      this.events.onConnected(true);
    };
    socket.onmessage = (event) => this.receive(JSON.parse(event.data as string) as AnyMessage);
    socket.onclose = () => this.lost();
  }

  /** Stop for good. */
  close(): void {
    this.isClosed = true;
    this.socket?.close();
  }

  /** Send a command; the reply also comes, as a failure, when the connection is lost. */
  send(request: Request): Promise<Reply> {
    const number = ++this.nRequests;
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve(unanswered(number));
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      socket.send(JSON.stringify({ ...request, request: number }));
    });
  }

  private receive(message: AnyMessage): void {
    if (message.type !== "reply") {
      this.events.onMessage(message);
      return;
    }
    this.waiting.get(message.request)?.(message);
    this.waiting.delete(message.request);
  }

  private lost(): void {
    for (const [number, resolve] of this.waiting) resolve(unanswered(number));
    this.waiting.clear();
    this.events.onConnected(false);
    if (this.isClosed) return;
    const delay = RETRY_MS[Math.min(this.nFailures++, RETRY_MS.length - 1)];
    setTimeout(() => this.connect(), delay);
  }
}

function unanswered(request: number): Reply {
  const text = "There is no connection to spikeloom. What was acknowledged before is safe.";
  return { type: "reply", request, error: { kind: "Disconnected", text, position: -1 } };
}
