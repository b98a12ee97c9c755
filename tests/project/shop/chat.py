"""A WebSocket of the shop's own, which must keep working beside Headway's."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


class Chat(AsyncJsonWebsocketConsumer):
    groups = ("chat",)

    async def receive_json(self, content):
        said = {"from": str(self.scope["user"]), "said": content["say"]}
        await self.channel_layer.group_send("chat", {"type": "chat.said", "content": said})

    async def chat_said(self, event):
        await self.send_json(event["content"])
