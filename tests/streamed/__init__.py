"""An app like that of somebody who comes from the streaming coordinator: StreamTasks."""
